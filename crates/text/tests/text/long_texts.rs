//! Texts that are longer than the model's sequence: what head-tail keeps, and what windows have.

use bert_text::{Encoding, Tokenizer, TokenizerError};
use proptest::prelude::*;

use crate::fixtures;

const WORDS: [&str; 5] = ["good", "bad", "film", "the", "a"];

fn tiny() -> Tokenizer {
    Tokenizer::from_dir(&fixtures().join("tiny")).expect("the tiny tokenizer")
}

/// So many words that have one token each.
fn text(words: usize, first: usize) -> String {
    let words = (first..first + words).map(|word| WORDS[word * word % WORDS.len()]);
    words.collect::<Vec<_>>().join(" ")
}

/// The ids of a text without special tokens.
fn ids(text: &str) -> Vec<u32> {
    let whole = tiny().encode(text, None, usize::MAX).expect("an encoding");
    whole.input_ids[1..whole.len() - 1].to_vec()
}

/// The ids of one text in an encoding.
fn part(encoding: &Encoding, sequence: usize) -> Vec<u32> {
    let tokens = encoding.input_ids.iter().zip(&encoding.sequence_ids);
    tokens
        .filter(|(_, of)| **of == Some(sequence))
        .map(|(&id, _)| id)
        .collect()
}

#[test]
fn head_tail_keeps_a_quarter_from_the_beginning_and_the_rest_from_the_end() {
    let text = text(40, 0);
    let all = ids(&text);
    let encoding = tiny().encode_head_tail(&text, None, 14).expect("a text");
    let kept = [&all[..3], &all[31..]].concat();
    assert_eq!(part(&encoding, 0), kept);
    assert_eq!(encoding.len(), 14);
    assert_eq!(encoding.truncated_tokens, 28);
    // Offsets are those of the whole text.
    let (start, end) = encoding.offsets[encoding.len() - 2];
    assert_eq!(end, text.len());
    assert_eq!(Some(&text[start..end]), text.split(' ').next_back());
}

#[test]
fn head_tail_of_five_hundred_and_twelve_tokens_is_that_of_its_paper() {
    let text = text(600, 0);
    let all = ids(&text);
    let encoding = tiny().encode_head_tail(&text, None, 512).expect("a text");
    assert_eq!(
        part(&encoding, 0),
        [&all[..128], &all[600 - 382..]].concat()
    );
}

#[test]
fn head_tail_of_a_pair_leaves_the_short_text_whole() {
    let (long, short) = (text(40, 0), text(4, 3));
    let encoding = tiny()
        .encode_head_tail(&long, Some(&short), 15)
        .expect("a pair");
    let all = ids(&long);
    assert_eq!(part(&encoding, 0), [&all[..2], &all[34..]].concat());
    assert_eq!(part(&encoding, 1), ids(&short));
}

#[test]
fn windows_of_a_pair_go_over_the_longer_text_and_repeat_the_other() {
    let (long, short) = (text(40, 0), text(4, 3));
    for (first, second, windowed) in [(&long, &short, 0), (&short, &long, 1)] {
        let windows = tiny()
            .encode_document(first, Some(second), 15, 2)
            .expect("windows");
        // 15 tokens, less 3 special ones and the 4 of the short text.
        let pieces: Vec<Vec<u32>> = windows.iter().map(|one| part(one, windowed)).collect();
        assert_eq!(pieces[0], ids(&long)[..8]);
        assert_eq!(pieces[1], ids(&long)[6..14]);
        assert!(
            windows
                .iter()
                .all(|one| part(one, 1 - windowed) == ids(&short))
        );
        assert!(windows.iter().all(|one| one.truncated_tokens == 0));
    }
}

#[test]
fn of_two_long_texts_the_shorter_has_half_of_a_window() {
    let (long, other) = (text(40, 0), text(20, 3));
    let windows = tiny()
        .encode_document(&long, Some(&other), 15, 0)
        .expect("windows");
    for window in &windows {
        assert_eq!(part(window, 1), ids(&other)[..6]);
        assert_eq!(window.truncated_tokens, 14);
    }
    assert_eq!(windows.len(), 7);
}

#[test]
fn windows_that_share_everything_are_refused() {
    let text = text(40, 0);
    let error = tiny()
        .encode_document(&text, None, 10, 8)
        .expect_err("no progress");
    assert!(matches!(
        error,
        TokenizerError::StrideTooLarge {
            stride: 8,
            room: 8,
            max_length: 10
        }
    ));
    assert!(error.to_string().contains("lower the stride"), "{error}");
    assert!(tiny().encode_document(&text, None, 10, 7).is_ok());
}

proptest! {
    /// Windows have every token, in order, none is too long, and neighbours share exactly the stride.
    #[test]
    fn windows_have_every_token(words in 0..60_usize, max_length in 4..30_usize, stride in 0..8_usize) {
        let text = text(words, 1);
        let all = ids(&text);
        let room = max_length - 2;
        prop_assume!(stride < room);
        let windows = tiny().encode_document(&text, None, max_length, stride).expect("windows");
        let mut seen: Vec<u32> = Vec::new();
        for (index, window) in windows.iter().enumerate() {
            prop_assert!(window.len() <= max_length);
            let piece = part(window, 0);
            if index == 0 {
                seen.extend(piece);
            } else {
                prop_assert_eq!(&piece[..stride], &seen[seen.len() - stride..]);
                prop_assert!(piece.len() > stride, "a window without a new token");
                seen.extend(&piece[stride..]);
            }
        }
        prop_assert_eq!(seen, all);
        if words <= room {
            prop_assert_eq!(&windows, &[tiny().encode(&text, None, max_length).expect("a text")]);
        }
    }

    /// Head-tail is plain truncation but for which tokens are kept.
    #[test]
    fn head_tail_keeps_as_many_tokens_as_truncation(
        first in 0..40_usize, second in proptest::option::of(0..40_usize), max_length in 5..30_usize,
    ) {
        let (first, second) = (text(first, 0), second.map(|words| text(words, 2)));
        let cut = tiny().encode(&first, second.as_deref(), max_length).expect("a text");
        let kept = tiny().encode_head_tail(&first, second.as_deref(), max_length).expect("a text");
        prop_assert_eq!(&kept.sequence_ids, &cut.sequence_ids);
        prop_assert_eq!(&kept.token_type_ids, &cut.token_type_ids);
        prop_assert_eq!(kept.truncated_tokens, cut.truncated_tokens);
    }
}
