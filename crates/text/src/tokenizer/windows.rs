//! A question beside each piece of a context that is longer than the model's sequence.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use tokenizers::PostProcessor;

use super::{Tokenizer, TokenizerError, beginning, refused};
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
        let mut first = self.tokenize(context, 1).map_err(failed)?;
        let taken = special_tokens + question_tokens.len();
        let room = max_length.saturating_sub(taken);
        if taken > max_length || (first.len() > room && room <= stride) {
            return Err(TokenizerError::QuestionTooLong {
                start: beginning(question),
                question_tokens: question_tokens.len(),
                max_length,
                room,
                stride,
            });
        }
        first.truncate(room, stride, self.truncation_side);
        let others = first.take_overflowing();
        std::iter::once(first)
            .chain(others)
            .map(|piece| {
                let question = question_tokens.clone();
                let window = self.post_processor.process(question, Some(piece), true);
                self.encoded(&window.map_err(failed)?, 0)
            })
            .collect()
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
