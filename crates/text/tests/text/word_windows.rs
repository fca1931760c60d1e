//! Long sentences in windows.

use std::collections::BTreeSet;

use bert_text::{WordWindow, word_windows};
use proptest::prelude::*;

/// The windows of words of these lengths.
fn windows(words: &[usize], capacity: usize) -> (Vec<WordWindow>, BTreeSet<usize>) {
    let mut begins = BTreeSet::new();
    let mut length = 0;
    for word in words {
        begins.insert(length);
        length += word;
    }
    let windows = word_windows(length, capacity, |position| begins.contains(&position));
    (windows, begins)
}

#[test]
fn a_sentence_that_fits_is_one_window() {
    for length in [0, 1, 8] {
        let whole = WordWindow {
            seen: 0..length,
            owned: 0..length,
        };
        assert_eq!(word_windows(length, 8, |_| true), [whole]);
    }
}

#[test]
fn a_word_belongs_to_the_window_that_shows_more_beyond_it() {
    let (windows, _) = windows(&[1; 12], 8);
    let expected = [(0..8, 0..7), (6..12, 7..12)];
    let found = windows.into_iter().map(|one| (one.seen, one.owned));
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

proptest! {
    #[test]
    fn every_sub_token_is_owned_once_by_a_window_that_sees_it(
        words in prop::collection::vec(1..9_usize, 0..80),
        capacity in 1..24_usize,
    ) {
        let (windows, begins) = windows(&words, capacity);
        let length: usize = words.iter().sum();
        let mut next = 0;
        for window in &windows {
            prop_assert!(window.seen.len() <= capacity);
            prop_assert!(window.seen.start <= window.owned.start && window.owned.end <= window.seen.end);
            prop_assert_eq!(window.owned.start, next);
            prop_assert!(!window.owned.is_empty() || length == 0);
            next = window.owned.end;
        }
        prop_assert_eq!(next, length);
        // A window of several words can always be cut between words.
        let longest = words.iter().max().copied().unwrap_or(0);
        if longest * 4 <= capacity {
            for window in &windows {
                prop_assert!(begins.contains(&window.owned.start) || length == 0);
                prop_assert!(begins.contains(&window.seen.start) || length == 0);
                prop_assert!(begins.contains(&window.seen.end) || window.seen.end == length);
            }
        }
    }

    #[test]
    fn no_other_window_shows_more_on_both_sides_of_a_word(length in 0..200_usize, capacity in 4..24_usize) {
        let (windows, _) = windows(&vec![1; length], capacity);
        let context = |window: &WordWindow, word: usize| {
            let before = if window.seen.start == 0 { usize::MAX } else { word - window.seen.start };
            let after = if window.seen.end == length { usize::MAX } else { window.seen.end - word - 1 };
            before.min(after)
        };
        for word in 0..length {
            let seeing = windows.iter().filter(|window| window.seen.contains(&word));
            let most = seeing.map(|window| context(window, word)).max();
            let owner = windows.iter().find(|window| window.owned.contains(&word)).expect("an owner");
            prop_assert_eq!(Some(context(owner, word)), most);
        }
    }
}
