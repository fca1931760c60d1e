//! What a tokenizer makes of the rows.

use serde::Serialize;

use super::share;
use crate::{Encoding, Pieces};

/// What is cut off at the maximum length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CutSummary {
    /// Rows that lose tokens.
    pub rows: usize,
    /// Their share of all rows.
    pub share_of_rows: f64,
    /// Tokens that are lost.
    pub tokens: usize,
    /// Their share of all tokens.
    pub share_of_tokens: f64,
}

impl CutSummary {
    /// Counts what truncation removed.
    pub fn of(encodings: &[Encoding]) -> Self {
        let cut = |encoding: &&Encoding| encoding.truncated_tokens > 0;
        let rows = encodings.iter().filter(cut).count();
        let kept: usize = encodings.iter().map(Encoding::len).sum();
        let tokens = encodings
            .iter()
            .map(|encoding| encoding.truncated_tokens)
            .sum();
        Self {
            rows,
            share_of_rows: share(rows, encodings.len()),
            tokens,
            share_of_tokens: share(tokens, kept + tokens),
        }
    }
}

/// Tokens that the vocabulary does not know.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct UnknownSummary {
    /// How many there are, special tokens not counted.
    pub tokens: usize,
    /// Their share of all tokens, special tokens not counted.
    pub share: f64,
    /// Rows with at least one.
    pub rows: usize,
}

impl UnknownSummary {
    /// Counts the tokens of this id; a vocabulary without it knows everything.
    pub fn of(encodings: &[Encoding], unk_token_id: Option<u32>) -> Self {
        let rows = encodings.iter().map(|encoding| {
            let words = encoding.input_ids.iter().zip(&encoding.sequence_ids);
            let words = words.filter(|(_, sequence)| sequence.is_some());
            words.map(move |(&id, _)| Some(id) == unk_token_id)
        });
        Self::of_rows(rows)
    }

    /// Counts the unknown sub-tokens of sentences.
    pub fn of_pieces(sentences: &[Pieces]) -> Self {
        Self::of_rows(sentences.iter().map(|one| one.is_unknown.iter().copied()))
    }

    fn of_rows(all_rows: impl Iterator<Item = impl Iterator<Item = bool>>) -> Self {
        let (mut all, mut tokens, mut rows) = (0, 0, 0);
        for row in all_rows {
            let (of_row, unknown) = row.fold((0, 0), |(all, unknown), is_unknown| {
                (all + 1, unknown + usize::from(is_unknown))
            });
            all += of_row;
            tokens += unknown;
            rows += usize::from(unknown > 0);
        }
        Self {
            tokens,
            share: share(tokens, all),
            rows,
        }
    }
}

/// The words, by index, that normalisation leaves nothing of, so that a model never sees them: `words` were given to
/// [`word_pieces`](crate::Tokenizer::word_pieces).
pub fn vanished_words(words: usize, pieces: &Pieces) -> Vec<usize> {
    let mut is_seen = vec![false; words];
    for word in pieces.word_ids.iter().flatten() {
        if let Some(is_seen) = is_seen.get_mut(*word as usize) {
            *is_seen = true;
        }
    }
    let words = is_seen.into_iter().enumerate();
    words
        .filter_map(|(word, is_seen)| (!is_seen).then_some(word))
        .collect()
}
