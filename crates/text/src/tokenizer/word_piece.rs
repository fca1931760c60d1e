//! BERT's tokenizer: words at spaces and punctuation, in pieces.

use std::collections::HashMap;
use std::path::Path;

use tokenizers::decoders::wordpiece::WordPiece as WordPieceDecoder;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{Result, Tokenizer};

use super::TokenizerError;
use super::settings::Settings;
use super::special::SpecialTokens;

/// What later pieces of a word begin with.
const PREFIX: &str = "##";
/// Longer words are unknown.
const MAX_WORD_CHARS: usize = 100;

/// Of the bytes of `vocab.txt`.
pub(super) fn from_vocab(
    vocab: &[u8],
    settings: &Settings,
    tokens: &SpecialTokens,
) -> Result<Tokenizer> {
    let model = WordPiece::builder()
        .vocab(WordPiece::read_bytes(vocab)?)
        .build()?;
    of_model(model, settings, tokens)
}

/// Of a model, of which the vocabulary counts.
pub(super) fn of_model(
    mut model: WordPiece,
    settings: &Settings,
    tokens: &SpecialTokens,
) -> Result<Tokenizer> {
    if let Some(unk) = tokens.text("unk_token") {
        unk.clone_into(&mut model.unk_token);
    }
    PREFIX.clone_into(&mut model.continuing_subword_prefix);
    model.max_input_chars_per_word = MAX_WORD_CHARS;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_normalizer(Some(normalizer(settings)))?;
    tokenizer
        .with_pre_tokenizer(Some(BertPreTokenizer))
        .with_decoder(Some(WordPieceDecoder::default()));
    Ok(tokenizer)
}

fn normalizer(settings: &Settings) -> BertNormalizer {
    BertNormalizer::new(
        true,
        settings.tokenize_chinese_chars.unwrap_or(true),
        settings.strip_accents.flatten(),
        settings.do_lower_case.unwrap_or(true),
    )
}

/// The library would let the later of two equal lines win and would not say which line is not UTF-8.
pub(super) fn check_vocab_lines(
    path: &Path,
    vocab: &[u8],
) -> std::result::Result<(), TokenizerError> {
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
