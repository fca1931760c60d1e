//! The tokenizer of a checkpoint, over the `tokenizers` library.
//!
//! Truncation and padding are decided by the task: whatever the checkpoint's `tokenizer.json` has baked in is ignored, but
//! for the side that loses tokens.

mod byte_level;
mod charsmap;
mod cut;
mod error;
mod family;
mod ids;
mod load;
mod lower_case;
mod open;
mod patterns;
mod pieces;
mod plain;
mod resolve;
mod sentencepiece;
mod settings;
mod special;
mod template;
mod token_types;
mod unigram;
mod windows;
mod word_piece;

use std::path::PathBuf;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use tokenizers::utils::truncation::TruncationDirection;
use tokenizers::{PostProcessor, PostProcessorWrapper};

use cut::Cut;
pub use error::TokenizerError;
use ids::{Extent, SpecialIds};
use patterns::Patterns;
pub(crate) use plain::Tokens;
use template::Surroundings;
use token_types::TokenTypes;

use crate::Encoding;
use crate::guard::guarded;

/// A checkpoint's tokenizer: text in, ids with special tokens out.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    /// Without post-processor, truncation and padding: `encode` does these in its own order.
    inner: tokenizers::Tokenizer,
    /// Its regular expressions that may give up.
    patterns: Patterns,
    /// Puts the special tokens around truncated texts.
    post_processor: PostProcessorWrapper,
    /// The special tokens that it puts around one text.
    surroundings: Surroundings,
    truncation_side: TruncationDirection,
    token_types: TokenTypes,
    ids: SpecialIds,
    model_max_length: Option<usize>,
    /// Whether decoded text loses the spaces before punctuation.
    cleans_up_spaces: bool,
    extent: Extent,
    /// The file with the vocabulary.
    path: PathBuf,
    files: Vec<PathBuf>,
}

impl Tokenizer {
    /// `[CLS] text [SEP]`, or `[CLS] text [SEP] text_pair [SEP]`, of at most `max_length` tokens.
    ///
    /// What is too long is truncated longest-first, from the right unless `truncation_side` says left, as transformers
    /// does: the longer text loses tokens until both are equally long, then both do, the first text getting the smaller half
    /// of an odd length unless it was the longer.
    ///
    /// # Errors
    /// When the special tokens alone are more than `max_length`, or the model has no such token type as a pair needs.
    pub fn encode(
        &self,
        text: &str,
        text_pair: Option<&str>,
        max_length: usize,
    ) -> Result<Encoding, TokenizerError> {
        self.encode_cut(text, text_pair, max_length, Cut::LongestFirst)
    }

    /// As [`encode`](Self::encode), but a text that is too long loses its middle: a quarter of what is kept is its beginning
    /// and the rest its end, the 128 and 382 tokens of 510 that Sun et al. (2019), "How to Fine-Tune BERT for Text
    /// Classification?", found best.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_head_tail(
        &self,
        text: &str,
        text_pair: Option<&str>,
        max_length: usize,
    ) -> Result<Encoding, TokenizerError> {
        self.encode_cut(text, text_pair, max_length, Cut::HeadTail)
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
        self.encode_cut(text, Some(text_pair), max_length, Cut::OnlyFirst)
    }

    fn encode_cut(
        &self,
        text: &str,
        text_pair: Option<&str>,
        max_length: usize,
        cut: Cut,
    ) -> Result<Encoding, TokenizerError> {
        let room = self.room(text_pair.is_some(), max_length)?;
        let failed = |source| refused(text, source);
        let (first, second) = self.tokenize_both(text, text_pair)?;
        let tokens = token_count(&first, second.as_ref());
        if let (Cut::OnlyFirst, Some(second)) = (cut, &second)
            && tokens > room
            && second.len() >= room
        {
            return Err(TokenizerError::SecondTextTooLong {
                start: beginning(text_pair.unwrap_or_default()),
                tokens: second.len(),
                max_length,
            });
        }
        let (first, second) = cut
            .apply(first, second, room, self.truncation_side)
            .map_err(failed)?;
        let truncated_tokens = tokens - token_count(&first, second.as_ref());
        let encoding = self
            .post_processor
            .process(first, second, true)
            .map_err(failed)?;
        self.encoded(&encoding, truncated_tokens)
    }

    /// How many of `max_length` tokens the special ones around a text or a pair leave.
    fn room(&self, is_pair: bool, max_length: usize) -> Result<usize, TokenizerError> {
        let special_tokens = self.post_processor.added_tokens(is_pair);
        max_length
            .checked_sub(special_tokens)
            .ok_or(TokenizerError::MaxLengthTooSmall {
                max_length,
                special_tokens,
            })
    }

    fn tokenize_both(
        &self,
        text: &str,
        text_pair: Option<&str>,
    ) -> Result<(tokenizers::Encoding, Option<tokenizers::Encoding>), TokenizerError> {
        let failed = |source| refused(text, source);
        let first = self.tokenize(text, 0).map_err(failed)?;
        let second = text_pair
            .map(|pair| self.tokenize(pair, 1))
            .transpose()
            .map_err(failed)?;
        Ok((first, second))
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

    /// Whether two tokenizers give the same ids and types for every text.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let written = |tokenizer: &Self| {
            let inner = serde_json::to_value(&tokenizer.inner).ok()?;
            let post_processor = serde_json::to_value(&tokenizer.post_processor).ok()?;
            Some((inner, post_processor))
        };
        self.truncation_side.as_ref() == other.truncation_side.as_ref()
            && self.uses_token_types() == other.uses_token_types()
            && written(self).is_some_and(|own| Some(own) == written(other))
    }

    /// Says whether every id of the vocabulary, of tokens that were added with an id and of the special tokens around a
    /// text has a row in a model's word-embedding table. The table may have more rows.
    ///
    /// # Errors
    /// When the largest id is `model_vocab_size` or more.
    pub fn check_vocab(&self, model_vocab_size: usize) -> Result<(), TokenizerError> {
        if (self.extent.largest_id as usize) < model_vocab_size {
            return Ok(());
        }
        Err(TokenizerError::VocabMismatch {
            path: self.path.clone(),
            largest_id: self.extent.largest_id,
            vocab_size: model_vocab_size,
        })
    }

    /// Whether the model is given token types. If not, all are 0: `model_input_names` of tokenizer_config.json leaves them
    /// out, or the family has no segments.
    pub fn uses_token_types(&self) -> bool {
        self.token_types.are_used()
    }

    /// `model_max_length` of tokenizer_config.json: the longest sequence in tokens that the tokenizer is for.
    pub fn model_max_length(&self) -> Option<usize> {
        self.model_max_length
    }

    /// The number of tokens, those included that were added with an id.
    pub fn vocab_size(&self) -> usize {
        self.extent.vocab_size
    }

    /// The id of `pad_token`.
    pub fn pad_token_id(&self) -> Option<u32> {
        self.ids.pad
    }

    /// The id of `unk_token`.
    pub fn unk_token_id(&self) -> Option<u32> {
        self.ids.unk
    }

    /// The id of `cls_token`.
    pub fn cls_token_id(&self) -> Option<u32> {
        self.ids.cls
    }

    /// The id of `sep_token`.
    pub fn sep_token_id(&self) -> Option<u32> {
        self.ids.sep
    }

    /// The id of `mask_token`.
    pub fn mask_token_id(&self) -> Option<u32> {
        self.ids.mask
    }

    /// Which of `length` tokens are left of a text that is cut to `room`.
    pub(crate) fn kept(&self, length: usize, room: usize) -> std::ops::Range<usize> {
        match self.truncation_side {
            TruncationDirection::Left => length.saturating_sub(room)..length,
            TruncationDirection::Right => 0..length.min(room),
        }
    }

    /// The special tokens before and after a text.
    pub(crate) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// The tokenizer files of the directory this tokenizer was read from: what an export copies.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    fn tokenize(&self, text: &str, type_id: u32) -> tokenizers::Result<tokenizers::Encoding> {
        let mut encoding = guarded(|| {
            self.patterns.check(&self.inner, text)?;
            self.inner.encode_char_offsets(text, false)
        })??;
        encoding.set_type_ids(vec![type_id; encoding.len()]);
        Ok(encoding)
    }

    /// What the library has made of a text, as ours.
    fn encoded(
        &self,
        encoding: &tokenizers::Encoding,
        truncated_tokens: usize,
    ) -> Result<Encoding, TokenizerError> {
        Ok(Encoding {
            input_ids: encoding.get_ids().to_vec(),
            token_type_ids: self.token_types.given(encoding.get_type_ids())?,
            offsets: encoding.get_offsets().to_vec(),
            word_ids: encoding.get_word_ids().to_vec(),
            sequence_ids: encoding.get_sequence_ids(),
            truncated_tokens,
        })
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
