//! What a tokenizer makes of the rows.

use serde::Serialize;

use super::share;
use crate::Encoding;

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
    /// Counts the tokens of this id.
    pub fn of(encodings: &[Encoding], unk_token_id: u32) -> Self {
        let (mut all, mut tokens, mut rows) = (0, 0, 0);
        for encoding in encodings {
            let words = encoding.input_ids.iter().zip(&encoding.sequence_ids);
            let words = words.filter(|(_, sequence)| sequence.is_some());
            let (row_all, row_unknown) = words.fold((0, 0), |(all, unknown), (&id, _)| {
                (all + 1, unknown + usize::from(id == unk_token_id))
            });
            all += row_all;
            tokens += row_unknown;
            rows += usize::from(row_unknown > 0);
        }
        Self {
            tokens,
            share: share(tokens, all),
            rows,
        }
    }
}
