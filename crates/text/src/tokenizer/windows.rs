//! The pieces of a text that is longer than the model's sequence, beside another text that each of them has: the question of
//! a context, the hypothesis of a premise.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use tokenizers::PostProcessor;

use super::{Tokenizer, TokenizerError, beginning, refused, token_count};
use crate::Encoding;

impl Tokenizer {
    /// `[CLS] question [SEP] piece [SEP]` for each piece of the context, at most `max_length` tokens each; neighbouring
    /// pieces share `stride` tokens. Equal to transformers' `truncation="only_second"` with `stride` and
    /// `return_overflowing_tokens`: `stride` is the overlap, not the step that Google's code calls `doc_stride`.
    ///
    /// Never empty: a context without a token has one window without a piece. Offsets count from the start of the whole
    /// context. Where `truncation_side` is left, the first window is the last piece, as in transformers.
    ///
    /// # Errors
    /// The question, which is never cut, leaves the context no more than `stride` tokens where it needs more.
    pub fn encode_windows(
        &self,
        question: &str,
        context: &str,
        max_length: usize,
        stride: usize,
    ) -> Result<Vec<Encoding>, TokenizerError> {
        let special_tokens = self.post_processor.added_tokens(true);
        let question_tokens = self
            .tokenize(question, 0)
            .map_err(|source| refused(question, source))?;
        let failed = |source| refused(context, source);
        let context_tokens = self.tokenize(context, 1).map_err(failed)?;
        let taken = special_tokens + question_tokens.len();
        let room = max_length.saturating_sub(taken);
        if taken > max_length || (context_tokens.len() > room && room <= stride) {
            return Err(TokenizerError::QuestionTooLong {
                start: beginning(question),
                question_tokens: question_tokens.len(),
                max_length,
                room,
                stride,
            });
        }
        self.overlapping(context_tokens, room, stride)
            .map(|piece| {
                let question = question_tokens.clone();
                let window = self.post_processor.process(question, Some(piece), true);
                self.encoded(&window.map_err(failed)?, 0)
            })
            .collect()
    }

    /// A text or a pair of any length as windows of at most `max_length` tokens each: one where it fits, as
    /// [`encode`](Self::encode) gives it. Otherwise the longer text is cut into pieces, of which neighbours share `stride`
    /// tokens, and each window has the whole of the other text, or as much of it as half of a window holds.
    ///
    /// # Errors
    /// A window has no more than `stride` tokens for its piece, or the special tokens alone are more than `max_length`.
    pub fn encode_document(
        &self,
        text: &str,
        text_pair: Option<&str>,
        max_length: usize,
        stride: usize,
    ) -> Result<Vec<Encoding>, TokenizerError> {
        let room = self.room(text_pair.is_some(), max_length)?;
        let failed = |source| refused(text, source);
        let (first, second) = self.tokenize_both(text, text_pair)?;
        if token_count(&first, second.as_ref()) <= room {
            let whole = self.post_processor.process(first, second, true);
            return Ok(vec![self.encoded(&whole.map_err(failed)?, 0)?]);
        }
        let is_first = second.as_ref().is_none_or(|pair| pair.len() <= first.len());
        let (long, other) = match (is_first, second) {
            (false, Some(second)) => (second, Some(first)),
            (_, second) => (first, second),
        };
        let other_tokens = other.as_ref().map_or(0, tokenizers::Encoding::len);
        let other = other.map(|other| self.cut_to(other, room / 2));
        let kept = other.as_ref().map_or(0, tokenizers::Encoding::len);
        let room = room - kept;
        if room <= stride {
            return Err(TokenizerError::StrideTooLarge {
                stride,
                room,
                max_length,
            });
        }
        self.overlapping(long, room, stride)
            .map(|piece| {
                let (first, second) = match (is_first, other.clone()) {
                    (false, Some(other)) => (other, Some(piece)),
                    (_, other) => (piece, other),
                };
                let window = self.post_processor.process(first, second, true);
                self.encoded(&window.map_err(failed)?, other_tokens - kept)
            })
            .collect()
    }

    /// At most `room` tokens of a text.
    fn cut_to(&self, mut text: tokenizers::Encoding, room: usize) -> tokenizers::Encoding {
        text.truncate(room, 0, self.truncation_side);
        text.take_overflowing();
        text
    }

    /// A text in pieces of at most `room` tokens, of which neighbours share `stride`.
    fn overlapping(
        &self,
        mut text: tokenizers::Encoding,
        room: usize,
        stride: usize,
    ) -> impl Iterator<Item = tokenizers::Encoding> + use<> {
        text.truncate(room, stride, self.truncation_side);
        let others = text.take_overflowing();
        std::iter::once(text).chain(others)
    }

    /// [`encode_windows`](Self::encode_windows) for many questions with their contexts, on all cores; the order is kept.
    pub fn encode_windows_batch(
        &self,
        questions: &[(&str, &str)],
        max_length: usize,
        stride: usize,
    ) -> Vec<Result<Vec<Encoding>, TokenizerError>> {
        questions
            .par_iter()
            .map(|(question, context)| self.encode_windows(question, context, max_length, stride))
            .collect()
    }
}
