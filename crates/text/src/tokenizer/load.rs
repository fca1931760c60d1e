//! From the files of a checkpoint directory to a tokenizer of the `tokenizers` library.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;
use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, NormalizerWrapper};

use super::TokenizerError;
use super::settings::{Settings, SpecialTokens};

/// Reads `tokenizer.json`, or else `vocab.txt`, as they say; truncation and padding that the file has baked in are gone.
pub(super) fn load(
    dir: &Path,
    settings: &Settings,
    special_tokens: &SpecialTokens,
) -> Result<tokenizers::Tokenizer, TokenizerError> {
    let json_path = dir.join("tokenizer.json");
    if let Some(json) = read_optional(&json_path)? {
        return from_json(&json_path, &json, settings);
    }
    let vocab_path = dir.join("vocab.txt");
    if let Some(vocab) = read_optional(&vocab_path)? {
        return from_vocab(&vocab_path, &vocab, settings, special_tokens);
    }
    Err(TokenizerError::NoTokenizerFile {
        dir: dir.to_owned(),
    })
}

/// The bytes of a file, or `None` when there is no such file.
fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, TokenizerError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
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

fn from_json(
    path: &Path,
    json: &[u8],
    settings: &Settings,
) -> Result<tokenizers::Tokenizer, TokenizerError> {
    let invalid = |source| invalid(path, source);
    let mut tokenizer = tokenizers::Tokenizer::from_bytes(json).map_err(invalid)?;
    tokenizer.with_truncation(None).map_err(invalid)?;
    tokenizer.with_padding(None);
    if let Some(NormalizerWrapper::BertNormalizer(own)) = tokenizer.get_normalizer() {
        let normalizer = normalizer(*own, settings);
        tokenizer
            .with_normalizer(Some(normalizer))
            .map_err(invalid)?;
    }
    Ok(tokenizer)
}

fn from_vocab(
    path: &Path,
    vocab: &[u8],
    settings: &Settings,
    special_tokens: &SpecialTokens,
) -> Result<tokenizers::Tokenizer, TokenizerError> {
    check_vocab_lines(path, vocab)?;
    let invalid = |source| invalid(path, source);
    let vocab = WordPiece::read_bytes(vocab).map_err(invalid)?;
    let present: Vec<AddedToken> = special_tokens
        .all()
        .into_iter()
        .filter(|token| vocab.contains_key(token.as_str()))
        .map(|token| AddedToken::from(token.clone(), true))
        .collect();
    let model = WordPiece::builder()
        .vocab(vocab)
        .unk_token(special_tokens.unk.clone())
        .build()
        .map_err(invalid)?;
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    tokenizer
        .with_normalizer(Some(normalizer(BertNormalizer::default(), settings)))
        .map_err(invalid)?;
    tokenizer
        .with_pre_tokenizer(Some(BertPreTokenizer))
        .with_decoder(Some(WordPieceDecoder::default()));
    tokenizer.add_special_tokens(present).map_err(invalid)?;
    add_tokens(&path.with_file_name("added_tokens.json"), &mut tokenizer)?;
    Ok(tokenizer)
}

/// Tokens that were added to the vocabulary later stand in a file of their own, each with its id.
fn add_tokens(path: &Path, tokenizer: &mut tokenizers::Tokenizer) -> Result<(), TokenizerError> {
    let tokens: HashMap<String, u32> = read_json(path)?;
    let mut tokens: Vec<_> = tokens.into_iter().collect();
    tokens.sort_by_key(|(_, id)| *id);
    for (token, id) in tokens {
        tokenizer
            .add_tokens([AddedToken::from(token.clone(), false)])
            .map_err(|source| invalid(path, source))?;
        if tokenizer.token_to_id(&token) != Some(id) {
            return Err(TokenizerError::AddedTokenId {
                path: path.to_owned(),
                token,
                id,
            });
        }
    }
    Ok(())
}

/// The settings win over `base` where they say anything, as in transformers.
fn normalizer(base: BertNormalizer, settings: &Settings) -> BertNormalizer {
    BertNormalizer::new(
        base.clean_text,
        settings
            .tokenize_chinese_chars
            .unwrap_or(base.handle_chinese_chars),
        settings.strip_accents.unwrap_or(base.strip_accents),
        settings.do_lower_case.unwrap_or(base.lowercase),
    )
}

/// The library would let the later of two equal lines win and would not say which line is not UTF-8.
fn check_vocab_lines(path: &Path, vocab: &[u8]) -> Result<(), TokenizerError> {
    let mut first_lines = HashMap::new();
    for (index, bytes) in vocab.split(|&byte| byte == b'\n').enumerate() {
        let line = index + 1;
        let token = str::from_utf8(bytes).map_err(|_| TokenizerError::VocabUtf8 {
            path: path.to_owned(),
            line,
        })?;
        let token = token.trim_end();
        if token.is_empty() {
            continue;
        }
        if let Some(first_line) = first_lines.insert(token, line) {
            return Err(TokenizerError::DuplicateToken {
                path: path.to_owned(),
                line,
                first_line,
                token: token.to_owned(),
            });
        }
    }
    Ok(())
}

fn invalid(path: &Path, source: tokenizers::Error) -> TokenizerError {
    TokenizerError::Invalid {
        path: path.to_owned(),
        source,
    }
}
