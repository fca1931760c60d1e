//! From a checkpoint directory to its tokenizer.

use std::path::Path;

use tokenizers::{ModelWrapper, PostProcessorWrapper};

use super::family::{Template, TokenizerClass, Vocabulary};
use super::ids::{Extent, SpecialIds};
use super::load::{SavedTokenizer, invalid, load};
use super::patterns::Patterns;
use super::resolve::class_of;
use super::settings::{ModelConfig, Settings};
use super::special::SpecialTokens;
use super::template::Surroundings;
use super::token_types::TokenTypes;
use super::{Tokenizer, TokenizerError};
use crate::guard::guarded;

impl Tokenizer {
    /// Reads the tokenizer of a checkpoint directory, as the class of transformers does that its files name:
    /// `tokenizer_class` of tokenizer_config.json, else of config.json, else that of config.json's `model_type`, which is
    /// `BertTokenizer` where there is none.
    ///
    /// The vocabulary is that of `tokenizer.json`, or else of the class's own files. Classes with rules of their own take
    /// these from tokenizer_config.json and from their defaults, whatever tokenizer.json says; `PreTrainedTokenizerFast`
    /// takes tokenizer.json as it is. The places of special tokens, and which of two that disagree wins, are those of
    /// transformers too.
    ///
    /// # Errors
    /// No tokenizer file, one that cannot be read or is damaged, a class whose files do not say all that it does, a setting
    /// that is none, or a special token that is not in the vocabulary (`[MASK]` and `[PAD]` may be absent).
    pub fn from_dir(dir: &Path) -> Result<Self, TokenizerError> {
        let config = ModelConfig::read(dir)?;
        let settings = Settings::read(dir)?;
        let class = class_of(dir, &config, &settings)?;
        let saved = SavedTokenizer::read(dir)?;
        let (vocabulary, template) = rules(class, saved.as_ref());
        let saved_side = saved.as_ref().and_then(SavedTokenizer::truncation_side);
        let saved_template = saved.as_ref().and_then(SavedTokenizer::post_processor);
        let mut tokens = SpecialTokens::read(dir, class, &settings, saved.as_ref())?;
        let (path, mut inner) = load(dir, class, saved, &settings, &mut tokens)?;

        tokens.add_declared(&mut inner)?;
        if vocabulary == Vocabulary::WordPiece {
            check_unknown(dir, &inner, &tokens)?;
        }
        let post_processor = template
            .post_processor(&inner, &tokens, &settings, saved_template)
            .map_err(|error| error.within(dir, &path))?;
        let failed = |source| invalid(&path, source);
        let surroundings = guarded(|| Surroundings::of(&post_processor))
            .unwrap_or_else(|panicked| Err(panicked.into()))
            .map_err(failed)?;
        inner.with_post_processor(None::<PostProcessorWrapper>);
        let extent = Extent::of(dir, &inner, &surroundings)?;
        tokens.add_named(&mut inner).map_err(failed)?;
        inner.set_encode_special_tokens(settings.split_special_tokens.unwrap_or(false));

        let is_bpe = matches!(inner.get_model(), ModelWrapper::BPE(_));
        let files = class.files().map(|name| dir.join(name));
        Ok(Self {
            patterns: Patterns::of(&path, &inner).map_err(failed)?,
            post_processor,
            surroundings,
            truncation_side: settings.truncation_side(dir, saved_side)?,
            token_types: TokenTypes::of(dir, class, &config, &settings),
            ids: SpecialIds::of(&inner, &tokens, extent, &config),
            model_max_length: settings.model_max_length.map(|limit| limit as usize),
            cleans_up_spaces: settings.clean_up_tokenization_spaces.unwrap_or(false) && !is_bpe,
            extent,
            path,
            files: files.filter(|path| path.is_file()).collect(),
            inner,
        })
    }
}

/// The rules of a class, or those of tokenizer.json where its vocabulary is of another kind than the class's.
fn rules(class: &TokenizerClass, saved: Option<&SavedTokenizer>) -> (Vocabulary, Template) {
    if saved.is_some_and(|saved| !saved.fits(class)) {
        (Vocabulary::AsSaved, Template::AsSaved)
    } else {
        (class.vocabulary, class.template)
    }
}

/// Words of letters that the vocabulary lacks need a token.
fn check_unknown(
    dir: &Path,
    inner: &tokenizers::Tokenizer,
    tokens: &SpecialTokens,
) -> Result<(), TokenizerError> {
    let token = tokens.text("unk_token").unwrap_or_default();
    match inner.token_to_id(token) {
        Some(_) => Ok(()),
        None => Err(TokenizerError::MissingSpecialToken {
            dir: dir.to_owned(),
            role: "unk_token",
            token: token.to_owned(),
        }),
    }
}
