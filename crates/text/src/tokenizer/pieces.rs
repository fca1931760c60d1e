//! Texts and words in sub-tokens, and parts of them as the model takes them.

use std::ops::Range;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use tokenizers::{Decoder, InputSequence, ModelWrapper, PostProcessor};

use super::{Tokenizer, TokenizerError, refused};
use crate::guard::guarded;
use crate::{Encoding, Pieces, TokensInput};

impl Tokenizer {
    /// A text in sub-tokens, without special tokens and however long.
    ///
    /// # Errors
    /// When the library refuses the text.
    pub fn pieces(&self, text: &str) -> Result<Pieces, TokenizerError> {
        let encoding = self
            .encode_bare([text], text)
            .map_err(|source| refused(text, source))?;
        Ok(self.taken_apart(&encoding, text.to_owned(), &[]))
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
            .encode_bare(words.iter().copied(), words.as_slice())
            .map_err(|source| refused(&text, source))?;
        let starts: Vec<usize> = words
            .iter()
            .scan(0, |next, word| {
                let start = *next;
                *next += word.chars().count() + 1;
                Some(start)
            })
            .collect();
        Ok(self.taken_apart(&encoding, text, &starts))
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
            pieces.offsets[range.clone()].to_vec(),
            vec![0; length],
            vec![1; length],
            Vec::new(),
            Default::default(),
        );
        let encoding = self
            .post_processor
            .process(encoding, None, true)
            .map_err(|source| refused(&pieces.text, source))?;
        let mut encoding = self.encoded(&encoding, 0)?;
        // The post-processor has cut spaces off offsets for the second time.
        let of_text = encoding.sequence_ids.iter().zip(&mut encoding.offsets);
        let of_text = of_text.filter_map(|(sequence, offsets)| sequence.and(Some(offsets)));
        for (offsets, own) in of_text.zip(&pieces.offsets[range]) {
            *offsets = *own;
        }
        Ok(encoding)
    }

    /// Tokens as text: `un`, `##aff`, `##able` → `unaffable`. A tokenizer without a decoder, or whose decoder refuses the
    /// tokens, puts spaces between them.
    pub fn convert_tokens_to_string(&self, tokens: &[&str]) -> String {
        let owned = tokens.iter().map(|&token| token.to_owned()).collect();
        let decoder = self.inner.get_decoder();
        decoder
            .and_then(|decoder| guarded(|| decoder.decode(owned)).ok()?.ok())
            .unwrap_or_else(|| tokens.join(" "))
    }

    /// Tokens without special ones, with the offsets that they have beside special ones. `texts` are those of the input.
    fn encode_bare<'a>(
        &self,
        texts: impl IntoIterator<Item = &'a str>,
        input: impl Into<InputSequence<'a>>,
    ) -> tokenizers::Result<tokenizers::Encoding> {
        guarded(|| {
            for text in texts {
                self.patterns.check(&self.inner, text)?;
            }
            let encoding = self.inner.encode_char_offsets(input.into(), false)?;
            self.post_processor.process(encoding, None, false)
        })?
    }

    /// `starts` has the first character of each word, where words were given.
    fn taken_apart(
        &self,
        encoding: &tokenizers::Encoding,
        text: String,
        starts: &[usize],
    ) -> Pieces {
        let ids = encoding.get_ids();
        let word_ids = encoding.get_word_ids();
        let shift = |word: &Option<u32>| {
            word.and_then(|word| starts.get(word as usize))
                .copied()
                .unwrap_or(0)
        };
        let offsets = encoding.get_offsets().iter().zip(word_ids);
        let offsets = offsets.map(|((start, end), word)| (start + shift(word), end + shift(word)));
        let token = |id: &u32| self.inner.id_to_token(*id).unwrap_or_default();
        let mut pieces = Pieces {
            text,
            input_ids: ids.to_vec(),
            tokens: ids.iter().map(token).collect(),
            offsets: offsets.collect(),
            word_ids: word_ids.to_vec(),
            is_unknown: ids.iter().map(|&id| Some(id) == self.ids.unk).collect(),
            continues_word: Vec::new(),
            special_before: self.surroundings.before.len(),
        };
        pieces.continues_word = self.continued_words(&pieces);
        pieces
    }

    /// Which sub-tokens continue a word, as transformers' pipeline decides. An unknown one never does.
    fn continued_words(&self, pieces: &Pieces) -> Vec<bool> {
        let is_continued: Vec<bool> = if self.marks_continuations() {
            let lengths = pieces.tokens.iter().map(|token| token.chars().count());
            let offsets = pieces.offsets.iter();
            lengths
                .zip(offsets)
                .map(|(length, &(start, end))| length != end - start)
                .collect()
        } else {
            let is_space: Vec<bool> = pieces.text.chars().map(|one| one == ' ').collect();
            let has_space =
                |range: Range<usize>| range.into_iter().any(|at| is_space.get(at) == Some(&true));
            let offsets = pieces.offsets.iter();
            offsets
                .map(|&(start, _)| start > 0 && !has_space(start - 1..start + 1))
                .collect()
        };
        let unknown = pieces.is_unknown.iter();
        is_continued
            .into_iter()
            .zip(unknown)
            .map(|(is_continued, is_unknown)| is_continued && !is_unknown)
            .collect()
    }

    /// Whether the vocabulary marks the later pieces of a word, as `##` does.
    fn marks_continuations(&self) -> bool {
        match self.inner.get_model() {
            ModelWrapper::WordPiece(model) => !model.continuing_subword_prefix.is_empty(),
            ModelWrapper::BPE(model) => {
                let prefix = model.continuing_subword_prefix.as_ref();
                prefix.is_some_and(|prefix| !prefix.is_empty())
            }
            ModelWrapper::WordLevel(_) | ModelWrapper::Unigram(_) => false,
        }
    }
}
