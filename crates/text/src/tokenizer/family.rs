//! What the tokenizer class of a family does where no file says otherwise, as data.

use std::path::Path;

use serde::Deserialize;
use tokenizers::PostProcessorWrapper;
use tokenizers::processors::bert::BertProcessing;

use super::TokenizerError;
use super::load::read_json;

/// The tokenizer class of a family in transformers.
#[derive(Debug)]
pub(super) struct TokenizerFamily {
    /// The special tokens' texts.
    pub(super) cls: &'static str,
    pub(super) sep: &'static str,
    pub(super) pad: &'static str,
    pub(super) unk: &'static str,
    pub(super) mask: &'static str,
    /// The files that the class is read from.
    pub(super) files: &'static [&'static str],
    /// The special tokens around a text and a pair, where tokenizer.json has no post-processor.
    pub(super) template: Template,
}

/// Where special tokens stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Template {
    /// `[CLS] text [SEP]`, `[CLS] text [SEP] text_pair [SEP]`; the pair and what follows it are segment 1.
    Bert,
}

const BERT: TokenizerFamily = TokenizerFamily {
    cls: "[CLS]",
    sep: "[SEP]",
    pad: "[PAD]",
    unk: "[UNK]",
    mask: "[MASK]",
    files: &[
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
        "special_tokens_map.json",
        "added_tokens.json",
    ],
    template: Template::Bert,
};

impl TokenizerFamily {
    /// That of the `model_type` in config.json. A directory without that key has BERT's.
    pub(super) fn of_dir(dir: &Path) -> Result<&'static Self, TokenizerError> {
        #[derive(Default, Deserialize)]
        struct Config {
            model_type: Option<String>,
        }
        let config: Config = read_json(&dir.join("config.json"))?;
        Ok(Self::of(config.model_type.as_deref()))
    }

    /// An unknown family is the encoder's to refuse.
    fn of(_model_type: Option<&str>) -> &'static Self {
        &BERT
    }
}

impl Template {
    /// `sep` and `cls` are the tokens with their ids.
    pub(super) fn post_processor(
        self,
        sep: (String, u32),
        cls: (String, u32),
    ) -> PostProcessorWrapper {
        match self {
            Self::Bert => BertProcessing::new(sep, cls).into(),
        }
    }
}
