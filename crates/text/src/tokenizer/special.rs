//! The special and the added tokens of a directory: every place they stand in, and which place wins.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use tokenizers::AddedToken;

use super::TokenizerError;
use super::family::TokenizerClass;
use super::load::{SavedTokenizer, invalid, read_json};
use super::settings::{Settings, TokenEntry, TokenNames};

/// The roles that transformers knows, in its order.
const ROLES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// Tokens that stay whole, as transformers' `from_pretrained` finds them.
///
/// `added_tokens_decoder` of tokenizer_config.json, where it is there, is the only list of tokens with ids, and
/// special_tokens_map.json is not read. Else the latter wins over tokenizer_config.json, and tokens with ids are those of
/// added_tokens.json, over which tokenizer.json wins.
#[derive(Debug)]
pub(super) struct SpecialTokens {
    /// Tokens with ids, and the file that says so.
    declared: BTreeMap<u32, AddedToken>,
    declared_in: PathBuf,
    /// Special tokens by role.
    named: BTreeMap<String, AddedToken>,
    /// Special tokens without a role.
    extra: Vec<AddedToken>,
    /// Whether `extra_special_tokens` name them.
    extra_are_named: bool,
}

impl SpecialTokens {
    pub(super) fn read(
        dir: &Path,
        class: &TokenizerClass,
        settings: &Settings,
        saved: Option<&SavedTokenizer>,
    ) -> Result<Self, TokenizerError> {
        let mut names = settings.token_names(dir)?;
        if names.extra.as_ref().is_none_or(Vec::is_empty) && names.additional.is_some() {
            names.extra = names.additional.take();
        }
        let mut declared_in = Settings::path(dir);
        let mut declared = BTreeMap::new();
        match &settings.added_tokens_decoder {
            Some(tokens) => {
                for (id, token) in tokens {
                    let id = id.parse().map_err(|_| TokenizerError::AddedTokenKey {
                        path: declared_in.clone(),
                        key: id.clone(),
                        token: token.text().to_owned(),
                    })?;
                    declared.insert(id, token.token(false));
                }
            }
            None => {
                names.overlay(TokenNames::read_map(dir)?);
                declared_in = dir.join("added_tokens.json");
                declared = added_tokens(&declared_in, &names)?;
                declared.extend(saved.into_iter().flat_map(SavedTokenizer::added_tokens));
            }
        }
        Ok(Self::new(class, names, declared, declared_in))
    }

    fn new(
        class: &TokenizerClass,
        names: TokenNames,
        mut declared: BTreeMap<u32, AddedToken>,
        declared_in: PathBuf,
    ) -> Self {
        let defaults = class.tokens.iter();
        let mut entries: BTreeMap<String, Option<TokenEntry>> = defaults
            .map(|&(role, text)| (role.to_owned(), Some(TokenEntry::Text(text.to_owned()))))
            .collect();
        entries.extend(names.named);
        let by_text: HashMap<&str, &AddedToken> = declared
            .values()
            .map(|token| (token.content.as_str(), token))
            .collect();
        let named = entries.into_iter().filter_map(|(role, entry)| {
            let entry = entry?;
            let strips = class.mask_strips_left && role == "mask_token";
            let token = match (by_text.get(entry.text()), &entry) {
                (Some(&token), _) => token.clone(),
                (None, TokenEntry::Text(_)) => entry.special().lstrip(strips),
                (None, TokenEntry::Token(_)) => entry.special(),
            };
            Some((role, token.special(true)))
        });
        let named: BTreeMap<String, AddedToken> = named.collect();
        for token in declared.values_mut() {
            token.special |= named.values().any(|one| one.content == token.content);
        }
        let default_extra = class
            .extra_tokens
            .iter()
            .map(|&text| TokenEntry::Text(text.to_owned()));
        let extra_are_named = names.extra.is_some();
        let extra = names.extra.or(names.additional);
        let extra = extra.unwrap_or_else(|| default_extra.collect());
        Self {
            declared,
            declared_in,
            named,
            extra: extra.iter().map(TokenEntry::special).collect(),
            extra_are_named,
        }
    }

    /// The text of a role, where it has one.
    pub(super) fn text(&self, role: &str) -> Option<&str> {
        self.named.get(role).map(|token| token.content.as_str())
    }

    /// The control tokens of a file in SentencePiece's format count where no `extra_special_tokens` are named.
    pub(super) fn take_control_tokens(&mut self, tokens: Vec<AddedToken>) {
        if !self.extra_are_named {
            self.extra = tokens;
        }
    }

    /// Adds the tokens whose ids the files say. One that the vocabulary has keeps the id that it has there.
    pub(super) fn add_declared(
        &self,
        inner: &mut tokenizers::Tokenizer,
    ) -> Result<(), TokenizerError> {
        let is_known = |token: &AddedToken| inner.token_to_id(&token.content).is_some();
        let new: Vec<(u32, &AddedToken)> = self
            .declared
            .iter()
            .filter(|(_, token)| !is_known(token))
            .map(|(&id, token)| (id, token))
            .collect();
        inner
            .add_tokens(self.declared.values().cloned())
            .map_err(|source| invalid(&self.declared_in, source))?;
        for (id, token) in new {
            if inner.token_to_id(&token.content) != Some(id) {
                return Err(TokenizerError::AddedTokenId {
                    path: self.declared_in.clone(),
                    token: token.content.clone(),
                    id,
                });
            }
        }
        Ok(())
    }

    /// Adds the special tokens that have a role or are named for no role; those that the vocabulary lacks follow it.
    pub(super) fn add_named(&self, inner: &mut tokenizers::Tokenizer) -> tokenizers::Result<()> {
        let in_order = ROLES.iter().filter_map(|&role| self.named.get(role));
        let others = self.named.iter();
        let others = others.filter(|(role, _)| !ROLES.contains(&role.as_str()));
        let named = in_order.chain(others.map(|(_, token)| token));
        let added = inner.get_added_vocabulary().get_vocab();
        let new = named.chain(&self.extra);
        let new = new.filter(|token| !added.contains_key(&token.content));
        let new: Vec<AddedToken> = new.cloned().collect();
        inner.add_tokens(new)?;
        Ok(())
    }

    /// The texts of all special tokens.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let tokens = self.named.values().chain(&self.extra);
        tokens.map(|token| token.content.as_str())
    }
}

impl TokenNames {
    /// Takes what `special_tokens_map.json` says. Its roles win; its further tokens come after the others, and those under
    /// the older key count where there are no others.
    fn overlay(&mut self, map: Self) {
        self.named.extend(map.named);
        self.additional = map.additional;
        if let Some(added) = map.extra {
            let extra = self.extra.get_or_insert_default();
            for token in added {
                if extra.iter().all(|one| one.text() != token.text()) {
                    extra.push(token);
                }
            }
        }
    }
}

/// Tokens that were added to the vocabulary later stand in a file of their own, each with its id.
fn added_tokens(
    path: &Path,
    names: &TokenNames,
) -> Result<BTreeMap<u32, AddedToken>, TokenizerError> {
    let tokens: BTreeMap<String, u32> = read_json(path)?;
    let is_special = |text: &str| {
        let named = names.named.values().flatten();
        named
            .chain(names.extra.iter().flatten())
            .any(|token| token.text() == text)
    };
    let tokens = tokens
        .into_iter()
        .map(|(text, id)| (id, AddedToken::from(text.clone(), is_special(&text))));
    Ok(tokens.collect())
}
