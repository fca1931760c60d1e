//! Texts and words in sub-tokens, and parts of them as the model takes them.

use std::ops::Range;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use tokenizers::{Decoder, InputSequence, PostProcessor};

use super::{Tokenizer, TokenizerError};
use crate::{Encoding, Pieces, TokensInput};

impl Tokenizer {
    /// A text in sub-tokens, without special tokens and however long.
    ///
    /// # Errors
    /// When the library refuses the text.
    pub fn pieces(&self, text: &str) -> Result<Pieces, TokenizerError> {
        let encoding = self
            .inner
            .encode_char_offsets(text, false)
            .map_err(|source| refused(text, source))?;
        Ok(self.taken_apart(&encoding, text.to_owned()))
    }

    /// Words in sub-tokens, without special tokens and however many: the tokens are those of transformers'
    /// `is_split_into_words=True`, the offsets are into the words joined by single spaces.
    ///
    /// # Errors
    /// When the library refuses a word.
    pub fn word_pieces<S: AsRef<str>>(&self, words: &[S]) -> Result<Pieces, TokenizerError> {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        let text = words.join(" ");
        let encoding = self
            .inner
            .encode_char_offsets(InputSequence::from(words.as_slice()), false)
            .map_err(|source| refused(&text, source))?;
        let starts: Vec<usize> = words
            .iter()
            .scan(0, |next, word| {
                let start = *next;
                *next += word.chars().count() + 1;
                Some(start)
            })
            .collect();
        let mut pieces = self.taken_apart(&encoding, text);
        for ((start, end), word) in pieces.offsets.iter_mut().zip(&pieces.word_ids) {
            let shift = word.map_or(0, |word| starts[word as usize]);
            *start += shift;
            *end += shift;
        }
        Ok(pieces)
    }

    /// [`word_pieces`](Self::word_pieces) for many sentences, on all cores; the order is kept.
    ///
    /// # Errors
    /// As [`word_pieces`](Self::word_pieces).
    pub fn word_pieces_batch(
        &self,
        sentences: &[&[String]],
    ) -> Result<Vec<Pieces>, TokenizerError> {
        sentences
            .par_iter()
            .map(|words| self.word_pieces(words))
            .collect()
    }

    /// [`pieces`](Self::pieces) or [`word_pieces`](Self::word_pieces) for many inputs, on all cores; the order is kept.
    ///
    /// # Errors
    /// As theirs.
    pub fn pieces_batch(&self, inputs: &[TokensInput]) -> Result<Vec<Pieces>, TokenizerError> {
        inputs
            .par_iter()
            .map(|input| match input {
                TokensInput::Text(text) => self.pieces(text),
                TokensInput::Tokens(words) => self.word_pieces(words),
            })
            .collect()
    }

    /// How many sub-tokens fit beside the special tokens of one text.
    ///
    /// # Errors
    /// When there is room for the special tokens alone, or not even for them.
    pub fn capacity(&self, max_length: usize) -> Result<usize, TokenizerError> {
        let special_tokens = self.post_processor.added_tokens(false);
        match max_length.checked_sub(special_tokens) {
            None | Some(0) => Err(TokenizerError::MaxLengthTooSmall {
                max_length,
                special_tokens,
            }),
            Some(capacity) => Ok(capacity),
        }
    }

    /// Some of the sub-tokens with special tokens around them.
    ///
    /// # Errors
    /// When the library refuses them.
    ///
    /// # Panics
    /// When the range is not within the sub-tokens.
    pub fn encode_pieces(
        &self,
        pieces: &Pieces,
        range: Range<usize>,
    ) -> Result<Encoding, TokenizerError> {
        let length = range.len();
        let encoding = tokenizers::Encoding::new(
            pieces.input_ids[range.clone()].to_vec(),
            vec![0; length],
            pieces.tokens[range.clone()].to_vec(),
            pieces.word_ids[range.clone()].to_vec(),
            pieces.offsets[range].to_vec(),
            vec![0; length],
            vec![1; length],
            Vec::new(),
            Default::default(),
        );
        let encoding = self
            .post_processor
            .process(encoding, None, true)
            .map_err(|source| refused(&pieces.text, source))?;
        Ok(Encoding {
            input_ids: encoding.get_ids().to_vec(),
            token_type_ids: encoding.get_type_ids().to_vec(),
            offsets: encoding.get_offsets().to_vec(),
            word_ids: encoding.get_word_ids().to_vec(),
            sequence_ids: encoding.get_sequence_ids(),
            truncated_tokens: 0,
        })
    }

    /// Tokens as text: `un`, `##aff`, `##able` → `unaffable`. A tokenizer without a decoder, or whose decoder refuses the
    /// tokens, puts spaces between them.
    pub fn convert_tokens_to_string(&self, tokens: &[&str]) -> String {
        let owned = tokens.iter().map(|&token| token.to_owned()).collect();
        let decoder = self.inner.get_decoder();
        decoder
            .and_then(|decoder| decoder.decode(owned).ok())
            .unwrap_or_else(|| tokens.join(" "))
    }

    fn taken_apart(&self, encoding: &tokenizers::Encoding, text: String) -> Pieces {
        let ids = encoding.get_ids();
        Pieces {
            text,
            input_ids: ids.to_vec(),
            tokens: encoding.get_tokens().to_vec(),
            offsets: encoding.get_offsets().to_vec(),
            word_ids: encoding.get_word_ids().to_vec(),
            is_unknown: ids.iter().map(|&id| id == self.ids.unk).collect(),
        }
    }
}

fn refused(text: &str, source: tokenizers::Error) -> TokenizerError {
    TokenizerError::Encode {
        start: text.chars().take(40).collect(),
        source,
    }
}
