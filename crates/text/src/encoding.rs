//! What a tokenizer makes of one text or pair of texts.

use std::ops::Range;

/// The ids of one text or pair, with special tokens, truncated, not padded. All vectors have one entry a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encoding {
    /// Rows of the word-embedding table.
    pub input_ids: Vec<u32>,
    /// 0 for the first text and its special tokens, 1 for the second.
    pub token_type_ids: Vec<u32>,
    /// Where the token stands in its own text, as a half-open range of **characters** (Unicode scalar values, as Python
    /// counts them), not bytes. `(0, 0)` for a special token.
    pub offsets: Vec<(usize, usize)>,
    /// Index of the word, within its own text, that the token is a piece of; `None` for a special token.
    pub word_ids: Vec<Option<u32>>,
    /// 0 for a token of the first text, 1 for one of the second, `None` for a special token.
    pub sequence_ids: Vec<Option<usize>>,
    /// How many tokens truncation removed.
    pub truncated_tokens: usize,
}

impl Encoding {
    /// The number of tokens, special ones included.
    pub fn len(&self) -> usize {
        self.input_ids.len()
    }

    /// Whether there is no token at all. An encoding made by a tokenizer holds at least its special tokens.
    pub fn is_empty(&self) -> bool {
        self.input_ids.is_empty()
    }

    /// The tokens of the first (0) or the second (1) text; empty where that text has none.
    pub fn tokens_of(&self, sequence: usize) -> Range<usize> {
        let is_of = |id: &Option<usize>| *id == Some(sequence);
        let first = self.sequence_ids.iter().position(is_of);
        let last = self.sequence_ids.iter().rposition(is_of);
        match (first, last) {
            (Some(first), Some(last)) => first..last + 1,
            _ => 0..0,
        }
    }
}
