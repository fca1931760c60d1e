//! A text in sub-tokens, before special tokens and windows.

use std::ops::Range;

/// A text, or words joined by single spaces, in sub-tokens. The vectors have one entry a sub-token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pieces {
    /// The text that the offsets are into.
    pub text: String,
    /// Rows of the word-embedding table.
    pub input_ids: Vec<u32>,
    /// As the vocabulary has them: `##ing`, `[UNK]`.
    pub tokens: Vec<String>,
    /// Where each stands in `text`, as a half-open range of **characters** (Unicode scalar values).
    pub offsets: Vec<(usize, usize)>,
    /// The word that each is a piece of: of words that were given, their index, else that of the part it is in of those that
    /// the tokenizer first cuts a text into, such as runs of letters and punctuation characters. Words that vanish in normalisation have no piece.
    pub word_ids: Vec<Option<u32>>,
    /// Whether each is `[UNK]`.
    pub is_unknown: Vec<bool>,
    /// Whether each continues the word of the one before it, as transformers' pipeline decides. Where the vocabulary marks
    /// later pieces of a word (`##ing`), one that is longer or shorter than the characters it stands for does; so a word
    /// that normalisation makes longer or shorter counts as continued, too. Elsewhere one does that has no space before or at
    /// its first character. An unknown one never does.
    pub continues_word: Vec<bool>,
    /// How many special tokens stand before the first in a sequence of one text.
    pub special_before: usize,
}

/// Which sub-tokens carry the label of their word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alignment {
    /// The first one of each word; the others are ignored.
    #[default]
    First,
    /// All of them.
    All,
}

impl Pieces {
    /// The number of sub-tokens.
    pub fn len(&self) -> usize {
        self.input_ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.input_ids.is_empty()
    }

    /// Whether a sub-token is the first of its word.
    pub fn begins_word(&self, index: usize) -> bool {
        index == 0 || self.word_ids[index] != self.word_ids[index - 1]
    }

    /// What transformers' pipeline shows for each sub-token: the token, or the characters that an unknown one stands for.
    pub fn shown(&self) -> Vec<String> {
        let characters: Vec<char> = if self.is_unknown.contains(&true) {
            self.text.chars().collect()
        } else {
            Vec::new()
        };
        let pieces = self.tokens.iter().zip(&self.offsets).zip(&self.is_unknown);
        pieces
            .map(|((token, &(start, end)), &is_unknown)| {
                if is_unknown {
                    characters[start..end].iter().collect()
                } else {
                    token.clone()
                }
            })
            .collect()
    }

    /// The labels of the sub-tokens in a range, for a loss: `labels` has the id of each word's label, `continued` the id
    /// that the later sub-tokens of a word get instead of each id (`I-x` for `B-x`); `None` takes no part in the loss.
    ///
    /// # Panics
    /// When a word or a label is out of range.
    pub fn labels(
        &self,
        range: Range<usize>,
        labels: &[usize],
        alignment: Alignment,
        continued: &[usize],
    ) -> Vec<Option<usize>> {
        let label = |index: usize| {
            let label = labels[self.word_ids[index]? as usize];
            match alignment {
                _ if self.begins_word(index) => Some(label),
                Alignment::First => None,
                Alignment::All => Some(continued[label]),
            }
        };
        range.map(label).collect()
    }
}
