//! What `tokenizer_config.json` and `special_tokens_map.json` say, with the defaults of the family's class.

use std::path::Path;

use serde::{Deserialize, Deserializer};

use super::TokenizerError;
use super::family::TokenizerFamily;
use super::load::read_json;

/// The keys of `tokenizer_config.json` that change what a BERT tokenizer does. A key that is absent stays `None`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Settings {
    pub(super) do_lower_case: Option<bool>,
    pub(super) tokenize_chinese_chars: Option<bool>,
    /// The inner `None` is an explicit `null`: strip accents when lower-casing.
    #[serde(default, deserialize_with = "present")]
    pub(super) strip_accents: Option<Option<bool>>,
    #[serde(flatten)]
    names: TokenNames,
}

#[derive(Debug, Default, Deserialize)]
struct TokenNames {
    cls_token: Option<TokenName>,
    sep_token: Option<TokenName>,
    pad_token: Option<TokenName>,
    unk_token: Option<TokenName>,
    mask_token: Option<TokenName>,
}

/// transformers writes a special token as its text, or as an object with the flags of an added token.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum TokenName {
    Text(String),
    AddedToken { content: String },
}

/// The texts of the special tokens.
#[derive(Debug, Clone)]
pub(super) struct SpecialTokens {
    pub(super) cls: String,
    pub(super) sep: String,
    pub(super) pad: String,
    pub(super) unk: String,
    pub(super) mask: String,
}

impl SpecialTokens {
    /// All five, in the order in which vocabularies usually hold them.
    pub(super) fn all(&self) -> [&String; 5] {
        [&self.pad, &self.unk, &self.cls, &self.sep, &self.mask]
    }
}

impl Settings {
    /// Reads the two files of `dir`; each may be absent.
    pub(super) fn read(
        dir: &Path,
        family: &TokenizerFamily,
    ) -> Result<(Self, SpecialTokens), TokenizerError> {
        let mut settings: Self = read_json(&dir.join("tokenizer_config.json"))?;
        let map: TokenNames = read_json(&dir.join("special_tokens_map.json"))?;
        let special_tokens = std::mem::take(&mut settings.names)
            .or(map)
            .with_defaults(family);
        Ok((settings, special_tokens))
    }
}

impl TokenNames {
    fn or(self, other: Self) -> Self {
        Self {
            cls_token: self.cls_token.or(other.cls_token),
            sep_token: self.sep_token.or(other.sep_token),
            pad_token: self.pad_token.or(other.pad_token),
            unk_token: self.unk_token.or(other.unk_token),
            mask_token: self.mask_token.or(other.mask_token),
        }
    }

    fn with_defaults(self, family: &TokenizerFamily) -> SpecialTokens {
        let text = |name: Option<TokenName>, default: &str| match name {
            Some(TokenName::Text(text) | TokenName::AddedToken { content: text }) => text,
            None => default.to_owned(),
        };
        SpecialTokens {
            cls: text(self.cls_token, family.cls),
            sep: text(self.sep_token, family.sep),
            pad: text(self.pad_token, family.pad),
            unk: text(self.unk_token, family.unk),
            mask: text(self.mask_token, family.mask),
        }
    }
}

/// Tells an explicit `null` from an absent key.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<bool>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
