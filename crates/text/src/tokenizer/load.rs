//! From the files of a checkpoint directory to a tokenizer of the `tokenizers` library.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use tokenizers::utils::truncation::TruncationDirection;
use tokenizers::{AddedToken, ModelWrapper, NormalizerWrapper};

use super::family::{TokenizerClass, Vocabulary};
use super::settings::Settings;
use super::special::SpecialTokens;
use super::{TokenizerError, byte_level, charsmap, unigram, word_piece};
use crate::guard::guarded;

/// What `tokenizer.json` holds.
#[derive(Debug)]
pub(super) struct SavedTokenizer {
    path: PathBuf,
    tokenizer: tokenizers::Tokenizer,
}

/// Builds the tokenizer as its class does: of the vocabulary in `tokenizer.json`, or else of the class's own files.
pub(super) fn load(
    dir: &Path,
    class: &TokenizerClass,
    saved: Option<SavedTokenizer>,
    settings: &Settings,
    tokens: &mut SpecialTokens,
) -> Result<(PathBuf, tokenizers::Tokenizer), TokenizerError> {
    if let Some(saved) = saved {
        let path = saved.path.clone();
        let tokenizer = guarded(|| saved.rebuilt(class, settings, tokens))
            .unwrap_or_else(|panicked| Err(panicked.into()))
            .map_err(|source| invalid(&path, source))?;
        return Ok((path, tokenizer));
    }
    let names = class.vocabulary.files();
    let paths: Vec<PathBuf> = names.iter().map(|name| dir.join(name)).collect();
    let files = paths
        .iter()
        .map(|path| read_optional(path))
        .collect::<Result<Option<Vec<_>>, _>>()?;
    let built = match (class.vocabulary, paths.as_slice(), files.as_deref()) {
        (Vocabulary::WordPiece, [path], Some([vocab])) => {
            word_piece::check_vocab_lines(path, vocab)?;
            guarded(|| word_piece::from_vocab(vocab, settings, tokens))
        }
        (Vocabulary::ByteLevel, _, Some([vocab, merges])) => {
            guarded(|| byte_level::from_vocab(vocab, merges, settings))
        }
        (Vocabulary::Unigram(kind), _, Some([model])) => {
            guarded(|| unigram::from_sentencepiece(kind, model, settings, tokens))
        }
        _ => {
            return Err(TokenizerError::NoTokenizerFile {
                dir: dir.to_owned(),
                expected: expected_files(names),
            });
        }
    };
    let path = paths[0].clone();
    let tokenizer = built
        .unwrap_or_else(|panicked| Err(panicked.into()))
        .map_err(|source| invalid(&path, source))?;
    Ok((path, tokenizer))
}

fn expected_files(names: &[&str]) -> String {
    if names.is_empty() {
        return "tokenizer.json".to_owned();
    }
    format!("tokenizer.json or {}", names.join(" with "))
}

impl SavedTokenizer {
    /// Reads `tokenizer.json`, if there is one.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, TokenizerError> {
        let path = dir.join("tokenizer.json");
        let Some(json) = read_optional(&path)? else {
            return Ok(None);
        };
        let tokenizer = charsmap::check_saved(&json)
            .and_then(|()| guarded(|| tokenizers::Tokenizer::from_bytes(json))?)
            .map_err(|source| invalid(&path, source))?;
        Ok(Some(Self { path, tokenizer }))
    }

    /// The tokens that were added to the vocabulary, with their ids.
    pub(super) fn added_tokens(&self) -> impl Iterator<Item = (u32, AddedToken)> {
        self.tokenizer.get_added_tokens_decoder().into_iter()
    }

    /// The special tokens around texts.
    pub(super) fn post_processor(&self) -> Option<tokenizers::PostProcessorWrapper> {
        self.tokenizer.get_post_processor().cloned()
    }

    /// The side that loses tokens, where the file truncates.
    pub(super) fn truncation_side(&self) -> Option<TruncationDirection> {
        self.tokenizer
            .get_truncation()
            .map(|params| params.direction)
    }

    /// Whether the file holds a vocabulary of the kind that a class takes from it.
    pub(super) fn fits(&self, class: &TokenizerClass) -> bool {
        matches!(
            (class.vocabulary, self.tokenizer.get_model()),
            (Vocabulary::WordPiece, ModelWrapper::WordPiece(_))
                | (Vocabulary::ByteLevel, ModelWrapper::BPE(_))
                | (Vocabulary::Unigram(_), ModelWrapper::Unigram(_))
        )
    }

    /// As the class builds it: of what the file holds, classes with rules of their own take the vocabulary and the table of
    /// characters, and their rules come from the settings. A vocabulary of another kind stays what the file says.
    fn rebuilt(
        mut self,
        class: &TokenizerClass,
        settings: &Settings,
        tokens: &SpecialTokens,
    ) -> tokenizers::Result<tokenizers::Tokenizer> {
        match (class.vocabulary, self.tokenizer.get_model()) {
            (Vocabulary::WordPiece, ModelWrapper::WordPiece(model)) => {
                word_piece::of_model(model.clone(), settings, tokens)
            }
            (Vocabulary::ByteLevel, ModelWrapper::BPE(model)) => {
                byte_level::of_model(model.clone(), settings)
            }
            (Vocabulary::Unigram(kind), ModelWrapper::Unigram(model)) => {
                let pieces = model.iter().cloned().collect();
                let charsmap = self.tokenizer.get_normalizer().and_then(charsmap);
                unigram::of_pieces(kind, pieces, charsmap, None, settings, tokens)
            }
            _ => {
                self.tokenizer.with_truncation(None)?;
                self.tokenizer.with_padding(None);
                Ok(self.tokenizer)
            }
        }
    }
}

/// The first table of characters among normalisers.
fn charsmap(normalizer: &NormalizerWrapper) -> Option<NormalizerWrapper> {
    match normalizer {
        NormalizerWrapper::Precompiled(_) => Some(normalizer.clone()),
        NormalizerWrapper::Sequence(all) => {
            let mut all = all.as_ref().iter();
            all.find(|one| matches!(one, NormalizerWrapper::Precompiled(_)))
                .cloned()
        }
        _ => None,
    }
}

/// The bytes of a file, or `None` when there is no such file. A link to a device or a pipe has no end.
fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, TokenizerError> {
    let read = || {
        if !path.metadata()?.is_file() {
            return Ok(None);
        }
        std::fs::read(path).map(Some)
    };
    match read() {
        Ok(Some(bytes)) => Ok(Some(bytes)),
        Ok(None) => Err(TokenizerError::NotAFile {
            path: path.to_owned(),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TokenizerError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

/// A JSON file, or the default when there is no such file.
pub(super) fn read_json<T>(path: &Path) -> Result<T, TokenizerError>
where
    T: Default + DeserializeOwned,
{
    let Some(bytes) = read_optional(path)? else {
        return Ok(T::default());
    };
    Ok(bert_json::from_slice(path, &bytes)?)
}

pub(super) fn invalid(path: &Path, source: tokenizers::Error) -> TokenizerError {
    TokenizerError::Invalid {
        path: path.to_owned(),
        source,
    }
}
