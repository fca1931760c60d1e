//! What `config.json`, `tokenizer_config.json` and `special_tokens_map.json` say about a tokenizer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use tokenizers::AddedToken;
use tokenizers::utils::truncation::TruncationDirection;

use super::TokenizerError;
use super::load::read_json;

/// The keys of `config.json` that a tokenizer depends on.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ModelConfig {
    pub(super) model_type: Option<String>,
    pub(super) tokenizer_class: Option<String>,
    pub(super) type_vocab_size: Option<i64>,
    pub(super) vocab_size: Option<i64>,
}

/// The keys of `tokenizer_config.json` that change what a tokenizer does. A key that is absent or null stays `None`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Settings {
    pub(super) do_lower_case: Option<bool>,
    pub(super) tokenize_chinese_chars: Option<bool>,
    /// The inner `None` is an explicit `null`: strip accents when lower-casing.
    #[serde(default, deserialize_with = "present")]
    pub(super) strip_accents: Option<Option<bool>>,
    pub(super) keep_accents: Option<bool>,
    pub(super) split_by_punct: Option<bool>,
    pub(super) add_prefix_space: Option<bool>,
    pub(super) trim_offsets: Option<bool>,
    pub(super) truncation_side: Option<String>,
    pub(super) padding_side: Option<String>,
    /// transformers writes 10³⁰ for "no limit".
    pub(super) model_max_length: Option<f64>,
    pub(super) model_input_names: Option<Vec<String>>,
    pub(super) split_special_tokens: Option<bool>,
    pub(super) clean_up_tokenization_spaces: Option<bool>,
    pub(super) tokenizer_class: Option<String>,
    pub(super) word_tokenizer_type: Option<String>,
    pub(super) subword_tokenizer_type: Option<String>,
    pub(super) auto_map: Option<Value>,
    /// Tokens by their ids, as text.
    pub(super) added_tokens_decoder: Option<BTreeMap<String, TokenFlags>>,
    /// Every key of the file.
    #[serde(skip)]
    pub(super) all: Map<String, Value>,
}

/// transformers writes a special token as its text, or as an object with the flags of an added token.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum TokenEntry {
    Text(String),
    Token(TokenFlags),
}

/// An added token as transformers writes it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TokenFlags {
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    normalized: Option<bool>,
    special: Option<bool>,
}

/// What one of the files says about special tokens.
#[derive(Debug, Default)]
pub(super) struct TokenNames {
    /// By key; `None` is an explicit `null`.
    pub(super) named: BTreeMap<String, Option<TokenEntry>>,
    /// `extra_special_tokens`, where they are a list.
    pub(super) extra: Option<Vec<TokenEntry>>,
    /// `additional_special_tokens`, as the same was called before.
    pub(super) additional: Option<Vec<TokenEntry>>,
}

impl ModelConfig {
    pub(super) fn path(dir: &Path) -> PathBuf {
        dir.join("config.json")
    }

    pub(super) fn read(dir: &Path) -> Result<Self, TokenizerError> {
        read_json(&Self::path(dir))
    }
}

impl Settings {
    pub(super) fn path(dir: &Path) -> PathBuf {
        dir.join("tokenizer_config.json")
    }

    pub(super) fn read(dir: &Path) -> Result<Self, TokenizerError> {
        let path = Self::path(dir);
        let all: Map<String, Value> = read_json(&path)?;
        let settings: Self = typed(&path, Value::Object(all.clone()))?;
        Ok(Self { all, ..settings })
    }

    /// The side that loses tokens: that of the file, else of tokenizer.json, else the right.
    pub(super) fn truncation_side(
        &self,
        dir: &Path,
        saved: Option<TruncationDirection>,
    ) -> Result<TruncationDirection, TokenizerError> {
        let side = |key, value: &Option<String>| match value.as_deref() {
            None => Ok(None),
            Some("left") => Ok(Some(TruncationDirection::Left)),
            Some("right") => Ok(Some(TruncationDirection::Right)),
            Some(other) => Err(TokenizerError::Side {
                path: Self::path(dir),
                key,
                value: other.to_owned(),
            }),
        };
        // Rows are computed without padding, so the side of it changes nothing.
        side("padding_side", &self.padding_side)?;
        let own = side("truncation_side", &self.truncation_side)?;
        Ok(own.or(saved).unwrap_or(TruncationDirection::Right))
    }

    /// The special tokens that the file names.
    pub(super) fn token_names(&self, dir: &Path) -> Result<TokenNames, TokenizerError> {
        TokenNames::of(&Self::path(dir), &self.all)
    }
}

impl TokenEntry {
    /// The token's text.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Token(TokenFlags { content: text, .. }) => text,
        }
    }

    /// As a special token.
    pub(super) fn special(&self) -> AddedToken {
        match self {
            Self::Text(text) => AddedToken::from(text.clone(), true),
            Self::Token(flags) => flags.token(true),
        }
    }
}

impl TokenFlags {
    /// The token; `is_special` where the file does not say so itself.
    pub(super) fn token(&self, is_special: bool) -> AddedToken {
        let special = self.special.unwrap_or(false) || is_special;
        AddedToken::from(self.content.clone(), special)
            .single_word(self.single_word)
            .lstrip(self.lstrip)
            .rstrip(self.rstrip)
            .normalized(self.normalized.unwrap_or(!special))
    }

    /// The token's text.
    pub(super) fn text(&self) -> &str {
        &self.content
    }
}

impl TokenNames {
    /// Reads `special_tokens_map.json`, which may be absent.
    pub(super) fn read_map(dir: &Path) -> Result<Self, TokenizerError> {
        let path = dir.join("special_tokens_map.json");
        Self::of(&path, &read_json(&path)?)
    }

    /// Takes the keys that name tokens. `path` is for errors.
    fn of(path: &Path, all: &Map<String, Value>) -> Result<Self, TokenizerError> {
        let mut names = Self::default();
        for (key, value) in all {
            match (key.as_str(), value) {
                ("extra_special_tokens", Value::Object(_)) => {
                    let named: BTreeMap<String, TokenEntry> = typed(path, value.clone())?;
                    let named = named.into_iter().map(|(key, token)| (key, Some(token)));
                    names.named.extend(named);
                }
                ("extra_special_tokens", _) => names.extra = typed(path, value.clone())?,
                ("additional_special_tokens", _) => names.additional = typed(path, value.clone())?,
                // Flags such as `add_bos_token` have the same ending.
                (_, Value::Bool(_)) => {}
                (key, value) if key.ends_with("_token") => {
                    names
                        .named
                        .insert(key.to_owned(), typed(path, value.clone())?);
                }
                _ => {}
            }
        }
        Ok(names)
    }
}

/// A value of a file as a type. `path` is for errors.
fn typed<T: DeserializeOwned>(path: &Path, value: Value) -> Result<T, TokenizerError> {
    serde_json::from_value(value).map_err(|source| TokenizerError::Setting {
        path: path.to_owned(),
        source,
    })
}

/// Tells an explicit `null` from an absent key.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<bool>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
