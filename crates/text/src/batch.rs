//! Encodings side by side, as a model takes them.
//!
//! B sequences in the batch, S tokens in the longest one.

use std::num::NonZeroUsize;

use crate::Encoding;

/// Encodings padded on the right to one length; the vectors are B·S long, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaddedBatch {
    /// Rows of the word-embedding table; the padding token's id where there is no token.
    pub input_ids: Vec<i32>,
    /// 0 or 1; 0 where there is no token.
    pub token_type_ids: Vec<i32>,
    /// 1 where there is a token, 0 where there is none.
    pub attention_mask: Vec<i32>,
    /// The number of tokens of each sequence.
    pub lengths: Vec<usize>,
    /// B.
    pub batch_size: usize,
    /// S.
    pub sequence_length: usize,
    /// The number of tokens that are not padding: the sum of `lengths`.
    pub real_tokens: usize,
}

impl PaddedBatch {
    /// Pads to the longest encoding, or up to the next multiple of `pad_to_multiple_of`. The caller sees to it that
    /// such a multiple is not beyond the model's position table.
    pub fn new(
        encodings: &[&Encoding],
        pad_token_id: u32,
        pad_to_multiple_of: Option<NonZeroUsize>,
    ) -> Self {
        let lengths: Vec<usize> = encodings.iter().map(|encoding| encoding.len()).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let sequence_length = match pad_to_multiple_of {
            Some(multiple) => longest.next_multiple_of(multiple.get()),
            None => longest,
        };
        let pad = |values: &dyn Fn(&Encoding) -> Vec<i32>, filler: i32| {
            let mut padded = Vec::with_capacity(encodings.len() * sequence_length);
            for (row, encoding) in encodings.iter().enumerate() {
                padded.extend(values(encoding));
                padded.resize((row + 1) * sequence_length, filler);
            }
            padded
        };
        Self {
            input_ids: pad(
                &|encoding| to_signed(&encoding.input_ids),
                pad_token_id.cast_signed(),
            ),
            token_type_ids: pad(&|encoding| to_signed(&encoding.token_type_ids), 0),
            attention_mask: pad(&|encoding| vec![1; encoding.len()], 0),
            batch_size: encodings.len(),
            sequence_length,
            real_tokens: lengths.iter().sum(),
            lengths,
        }
    }
}

/// A tokenizer with an id beyond `i32` does not load, so no id changes its value here.
fn to_signed(ids: &[u32]) -> Vec<i32> {
    ids.iter().map(|id| id.cast_signed()).collect()
}
