//! Sentences longer than the model, in windows that overlap.

use std::ops::Range;

/// A part of a sentence that the model takes at once, in sub-tokens of the whole sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordWindow {
    /// What the model sees.
    pub seen: Range<usize>,
    /// What is labelled and predicted here and in no other window.
    pub owned: Range<usize>,
}

/// Neighbouring windows share this part of their length: enough context on both sides of the seam, for a third more
/// computation.
const OVERLAP: usize = 4;

/// Cuts a sentence of `length` sub-tokens into windows of at most `capacity`; `begins_word` says where words begin.
///
/// A sentence that fits is one window. Windows begin and end between words, unless a word is longer than a window. Where
/// two windows overlap, each word is owned by the one that shows more of the sentence beyond it: the first window owns it
/// when at least as many sub-tokens follow it there as precede it in the second. Every sub-token is owned exactly once.
///
/// # Panics
/// When `capacity` is 0.
pub fn word_windows(
    length: usize,
    capacity: usize,
    begins_word: impl Fn(usize) -> bool,
) -> Vec<WordWindow> {
    assert!(capacity > 0, "a window holds at least one sub-token");
    let mut windows: Vec<WordWindow> = Vec::new();
    let (mut start, mut owned) = (0, 0);
    loop {
        if length - start <= capacity {
            windows.push(WordWindow {
                seen: start..length,
                owned: owned..length,
            });
            return windows;
        }
        let end =
            last_boundary(owned + 1..=start + capacity, &begins_word).unwrap_or(start + capacity);
        // What was owned before never comes back, so that every window gets further.
        let shared = end.saturating_sub(capacity / OVERLAP).max(owned + 1);
        let next = last_boundary(owned + 1..=shared, &begins_word).unwrap_or(shared);
        let seam = seam(next, end, &begins_word);
        windows.push(WordWindow {
            seen: start..end,
            owned: owned..seam,
        });
        (start, owned) = (next, seam);
    }
}

fn last_boundary(
    positions: std::ops::RangeInclusive<usize>,
    begins_word: impl Fn(usize) -> bool,
) -> Option<usize> {
    positions.rev().find(|&position| begins_word(position))
}

/// The first word in an overlap that has more before it in the second window than after it in the first.
fn seam(next: usize, end: usize, begins_word: impl Fn(usize) -> bool) -> usize {
    let mut words = (next..end).filter(|&position| begins_word(position));
    let word_end = |word: usize| (word + 1..end).find(|&p| begins_word(p)).unwrap_or(end);
    words
        .find(|&word| word - next > end - word_end(word))
        .unwrap_or(end)
}
