//! The WordPiece tokenizer of a BERT checkpoint, over the `tokenizers` library.
//!
//! Truncation and padding are decided by the task: whatever the checkpoint's `tokenizer.json` has baked in is ignored.

mod error;
mod family;
mod load;
mod lower_case;
mod pieces;
mod plain;
mod settings;
mod windows;

use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use tokenizers::utils::truncation::{TruncationParams, TruncationStrategy, truncate_encodings};
use tokenizers::{PostProcessor, PostProcessorWrapper};

pub use error::TokenizerError;
use family::TokenizerFamily;
pub(crate) use plain::Tokens;
use settings::{Settings, SpecialTokens};

use crate::Encoding;

/// A checkpoint's tokenizer: text in, ids with special tokens out.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    /// Without post-processor, truncation and padding: `encode` does these in its own order.
    inner: tokenizers::Tokenizer,
    /// Puts the special tokens around truncated texts.
    post_processor: PostProcessorWrapper,
    ids: SpecialIds,
    largest_id: u32,
    files: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy)]
struct SpecialIds {
    pad: u32,
    unk: u32,
    cls: u32,
    sep: u32,
    mask: Option<u32>,
}

impl Tokenizer {
    /// Reads the tokenizer of a checkpoint directory: `tokenizer.json`, or else `vocab.txt` alone.
    ///
    /// `do_lower_case`, `strip_accents`, `tokenize_chinese_chars` and the names of the special tokens are taken from
    /// `tokenizer_config.json` where it has them (then from `special_tokens_map.json`), and win over `tokenizer.json`.
    /// What no file says is as in the tokenizer class that transformers has for the `model_type` of `config.json`, which is
    /// `BertTokenizer` where there is none: lower-case, strip accents when lower-casing, split
    /// Chinese characters, `[CLS]`, `[SEP]`, `[PAD]`, `[UNK]`, `[MASK]`. A `tokenizer.json` without a post-processor
    /// gets that of the class.
    ///
    /// # Errors
    /// No tokenizer file, one that cannot be read or is damaged, or a special token that is not in the vocabulary
    /// (`[MASK]` may be absent).
    pub fn from_dir(dir: &Path) -> Result<Self, TokenizerError> {
        let family = TokenizerFamily::of_dir(dir)?;
        let (settings, special_tokens) = Settings::read(dir, family)?;
        let mut inner = load::load(dir, &settings, &special_tokens)?;
        let ids = special_ids(dir, &inner, &special_tokens)?;
        let post_processor = inner.get_post_processor().cloned().unwrap_or_else(|| {
            let (sep, cls) = (special_tokens.sep, special_tokens.cls);
            family
                .template
                .post_processor((sep, ids.sep), (cls, ids.cls))
        });
        inner.with_post_processor(None::<PostProcessorWrapper>);
        let largest_id = inner.get_vocab(true).into_values().max().unwrap_or(ids.unk);
        if i32::try_from(largest_id).is_err() {
            return Err(TokenizerError::IdTooLarge {
                dir: dir.to_owned(),
                id: largest_id,
            });
        }
        let files = family.files.iter().map(|name| dir.join(name));
        Ok(Self {
            inner,
            post_processor,
            ids,
            largest_id,
            files: files.filter(|path| path.is_file()).collect(),
        })
    }

    /// `[CLS] text [SEP]`, or `[CLS] text [SEP] text_pair [SEP]`, of at most `max_length` tokens.
    ///
    /// What is too long is truncated longest-first, from the right, as transformers does: the longer text loses tokens
    /// until both are equally long, then both do, the first text getting the smaller half of an odd length unless it
    /// was the longer.
    ///
    /// # Errors
    /// When the special tokens alone are more than `max_length`.
    pub fn encode(
        &self,
        text: &str,
        text_pair: Option<&str>,
        max_length: usize,
    ) -> Result<Encoding, TokenizerError> {
        self.encode_truncated(
            text,
            text_pair,
            max_length,
            TruncationStrategy::LongestFirst,
        )
    }

    /// `[CLS] text [SEP] text_pair [SEP]` of at most `max_length` tokens, of which the first text alone loses what is too
    /// much: the hypothesis of zero-shot classification is never cut.
    ///
    /// # Errors
    /// When the special tokens and the second text alone are more than `max_length`.
    pub fn encode_cutting_first(
        &self,
        text: &str,
        text_pair: &str,
        max_length: usize,
    ) -> Result<Encoding, TokenizerError> {
        self.encode_truncated(
            text,
            Some(text_pair),
            max_length,
            TruncationStrategy::OnlyFirst,
        )
    }

    fn encode_truncated(
        &self,
        text: &str,
        text_pair: Option<&str>,
        max_length: usize,
        strategy: TruncationStrategy,
    ) -> Result<Encoding, TokenizerError> {
        let special_tokens = self.post_processor.added_tokens(text_pair.is_some());
        let params = TruncationParams {
            max_length: max_length.checked_sub(special_tokens).ok_or(
                TokenizerError::MaxLengthTooSmall {
                    max_length,
                    special_tokens,
                },
            )?,
            strategy,
            ..TruncationParams::default()
        };
        let failed = |source| refused(text, source);

        let first = self.tokenize(text, 0).map_err(failed)?;
        let second = text_pair
            .map(|pair| self.tokenize(pair, 1))
            .transpose()
            .map_err(failed)?;
        let tokens = token_count(&first, second.as_ref());
        if let (TruncationStrategy::OnlyFirst, Some(second)) = (strategy, &second)
            && tokens > params.max_length
            && second.len() >= params.max_length
        {
            return Err(TokenizerError::SecondTextTooLong {
                start: text_pair.unwrap_or_default().chars().take(40).collect(),
                tokens: second.len(),
                max_length,
            });
        }
        let (mut first, mut second) = truncate_encodings(first, second, &params).map_err(failed)?;
        let truncated_tokens = tokens - token_count(&first, second.as_ref());
        // The cut-off parts of two long texts would be combined each with each: quadratic, and nobody reads them.
        first.take_overflowing();
        if let Some(second) = &mut second {
            second.take_overflowing();
        }
        let encoding = self
            .post_processor
            .process(first, second, true)
            .map_err(failed)?;
        Ok(encoded(&encoding, truncated_tokens))
    }

    /// [`encode`](Self::encode) for many texts, on all cores; the order is kept.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_batch(
        &self,
        texts: &[(&str, Option<&str>)],
        max_length: usize,
    ) -> Result<Vec<Encoding>, TokenizerError> {
        texts
            .par_iter()
            .map(|(text, text_pair)| self.encode(text, *text_pair, max_length))
            .collect()
    }

    /// [`encode_cutting_first`](Self::encode_cutting_first) for many pairs, on all cores; the order is kept.
    ///
    /// # Errors
    /// As [`encode_cutting_first`](Self::encode_cutting_first).
    pub fn encode_batch_cutting_first(
        &self,
        pairs: &[(&str, &str)],
        max_length: usize,
    ) -> Result<Vec<Encoding>, TokenizerError> {
        pairs
            .par_iter()
            .map(|(text, text_pair)| self.encode_cutting_first(text, text_pair, max_length))
            .collect()
    }

    /// Whether two tokenizers give the same ids for every text.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let written = |tokenizer: &Self| {
            let inner = serde_json::to_value(&tokenizer.inner).ok()?;
            let post_processor = serde_json::to_value(&tokenizer.post_processor).ok()?;
            Some((inner, post_processor))
        };
        written(self).is_some_and(|own| Some(own) == written(other))
    }

    /// Says whether every id this tokenizer can give has a row in a model's word-embedding table.
    ///
    /// # Errors
    /// When the largest id is `model_vocab_size` or more.
    pub fn check_vocab(&self, model_vocab_size: usize) -> Result<(), TokenizerError> {
        if (self.largest_id as usize) < model_vocab_size {
            return Ok(());
        }
        Err(TokenizerError::VocabMismatch {
            largest_id: self.largest_id,
            vocab_size: model_vocab_size,
        })
    }

    /// The number of tokens, added ones included.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The id of `[PAD]`.
    pub fn pad_token_id(&self) -> u32 {
        self.ids.pad
    }

    /// The id of `[UNK]`.
    pub fn unk_token_id(&self) -> u32 {
        self.ids.unk
    }

    /// The id of `[CLS]`.
    pub fn cls_token_id(&self) -> u32 {
        self.ids.cls
    }

    /// The id of `[SEP]`.
    pub fn sep_token_id(&self) -> u32 {
        self.ids.sep
    }

    /// The id of `[MASK]`, which a vocabulary may lack.
    pub fn mask_token_id(&self) -> Option<u32> {
        self.ids.mask
    }

    /// The tokenizer files of the directory this tokenizer was read from: what an export copies.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    fn tokenize(&self, text: &str, type_id: u32) -> tokenizers::Result<tokenizers::Encoding> {
        let mut encoding = self.inner.encode_char_offsets(text, false)?;
        encoding.set_type_ids(vec![type_id; encoding.len()]);
        Ok(encoding)
    }
}

/// What the library has made of a text, as ours.
fn encoded(encoding: &tokenizers::Encoding, truncated_tokens: usize) -> Encoding {
    Encoding {
        input_ids: encoding.get_ids().to_vec(),
        token_type_ids: encoding.get_type_ids().to_vec(),
        offsets: encoding.get_offsets().to_vec(),
        word_ids: encoding.get_word_ids().to_vec(),
        sequence_ids: encoding.get_sequence_ids(),
        truncated_tokens,
    }
}

/// The library has refused a text.
fn refused(text: &str, source: tokenizers::Error) -> TokenizerError {
    TokenizerError::Encode {
        start: beginning(text),
        source,
    }
}

/// Enough of a text to find it by.
fn beginning(text: &str) -> String {
    text.chars().take(40).collect()
}

fn token_count(first: &tokenizers::Encoding, second: Option<&tokenizers::Encoding>) -> usize {
    first.len() + second.map_or(0, tokenizers::Encoding::len)
}

fn special_ids(
    dir: &Path,
    inner: &tokenizers::Tokenizer,
    tokens: &SpecialTokens,
) -> Result<SpecialIds, TokenizerError> {
    let id = |role, token: &str| {
        inner
            .token_to_id(token)
            .ok_or_else(|| TokenizerError::MissingSpecialToken {
                dir: dir.to_owned(),
                role,
                token: token.to_owned(),
            })
    };
    Ok(SpecialIds {
        pad: id("pad_token", &tokens.pad)?,
        unk: id("unk_token", &tokens.unk)?,
        cls: id("cls_token", &tokens.cls)?,
        sep: id("sep_token", &tokens.sep)?,
        mask: inner.token_to_id(&tokens.mask),
    })
}
