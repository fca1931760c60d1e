//! The ids that a tokenizer can give, and those of its special tokens.

use std::collections::BTreeSet;
use std::path::Path;

use super::TokenizerError;
use super::settings::ModelConfig;
use super::special::SpecialTokens;
use super::template::Surroundings;

/// How far the ids reach of the vocabulary, of tokens that were added with an id and of those around a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// The tokens of the vocabulary and those added with an id.
    pub(super) vocab_size: usize,
    pub(super) largest_id: u32,
}

/// The ids of roles, where the vocabulary has the token.
#[derive(Debug, Clone)]
pub(super) struct SpecialIds {
    pub(super) pad: Option<u32>,
    pub(super) unk: Option<u32>,
    pub(super) cls: Option<u32>,
    pub(super) sep: Option<u32>,
    pub(super) mask: Option<u32>,
    /// Those of all special tokens, sorted.
    pub(super) all: Vec<u32>,
}

impl Extent {
    pub(super) fn of(
        dir: &Path,
        inner: &tokenizers::Tokenizer,
        surroundings: &Surroundings,
    ) -> Result<Self, TokenizerError> {
        let vocab = inner.get_vocab(true);
        let largest = vocab.values().copied().max().unwrap_or_default();
        let largest_id = largest.max(surroundings.largest_id);
        if i32::try_from(largest_id).is_err() {
            return Err(TokenizerError::IdTooLarge {
                dir: dir.to_owned(),
                id: largest_id,
            });
        }
        Ok(Self {
            vocab_size: vocab.len(),
            largest_id,
        })
    }
}

impl SpecialIds {
    /// A token that the vocabulary lacks follows it. It counts where the model has a row for it.
    pub(super) fn of(
        inner: &tokenizers::Tokenizer,
        tokens: &SpecialTokens,
        extent: Extent,
        config: &ModelConfig,
    ) -> Self {
        let rows = config.vocab_size.and_then(|rows| u32::try_from(rows).ok());
        let rows = rows.unwrap_or_default();
        let id = |role| {
            let id = inner.token_to_id(tokens.text(role)?);
            id.filter(|&id| id <= extent.largest_id || id < rows)
        };
        let all = tokens.texts().filter_map(|text| inner.token_to_id(text));
        let all: BTreeSet<u32> = all.collect();
        Self {
            pad: id("pad_token"),
            unk: id("unk_token"),
            cls: id("cls_token"),
            sep: id("sep_token"),
            mask: id("mask_token"),
            all: all.into_iter().collect(),
        }
    }
}
