use std::ops::Range;

use bert_question_answering::{ModelForQuestionAnswering, Window};
use bert_text::Encoding;
use serde::{Deserialize, Serialize};

use super::QuestionAnswerer;
use crate::inference::rows_of;
use crate::{RunOptions, TaskError};

/// The windows of some questions, those of a question in a row.
#[derive(Debug, Clone, Default)]
pub struct Windows {
    /// The tokens of each window.
    pub encodings: Vec<Encoding>,
    /// The context of its question that each window is cut from.
    pub contexts: Vec<usize>,
    /// The windows of each question.
    pub questions: Vec<Range<usize>>,
}

impl Windows {
    /// Adds a question, its windows given with their contexts.
    pub fn push(&mut self, windows: impl IntoIterator<Item = (usize, Encoding)>) {
        let start = self.encodings.len();
        for (context, encoding) in windows {
            self.contexts.push(context);
            self.encodings.push(encoding);
        }
        self.questions.push(start..self.encodings.len());
    }

    /// Adds the questions of others.
    pub fn append(&mut self, others: Self) {
        let start = self.encodings.len();
        let moved = |range: Range<usize>| start + range.start..start + range.end;
        self.questions
            .extend(others.questions.into_iter().map(moved));
        self.encodings.extend(others.encodings);
        self.contexts.extend(others.contexts);
    }

    /// The windows of a question with their logits, as the decoder takes them.
    pub(super) fn of_question<'a>(
        &'a self,
        question: usize,
        logits: &'a [WindowLogits],
    ) -> Vec<Window<'a>> {
        let window = |row: usize| {
            let encoding = &self.encodings[row];
            Window {
                context: self.contexts[row],
                context_tokens: encoding.tokens_of(1),
                offsets: &encoding.offsets,
                start_logits: &logits[row].start_logits,
                end_logits: &logits[row].end_logits,
            }
        };
        self.questions[question].clone().map(window).collect()
    }
}

/// The model's raw outputs for one window, a number a token.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct WindowLogits {
    /// For an answer's first token.
    pub start_logits: Vec<f32>,
    /// For an answer's last token.
    pub end_logits: Vec<f32>,
}

impl QuestionAnswerer {
    /// The logits of every window.
    pub(super) fn logits(
        &self,
        model: &ModelForQuestionAnswering,
        windows: &Windows,
        run: RunOptions<'_>,
    ) -> Result<Vec<WindowLogits>, TaskError> {
        let encodings = &windows.encodings;
        let forward = |rows: &[usize], input| {
            let logits = model.forward(input)?;
            let starts = rows_of(logits.start_logits)?;
            let ends = rows_of(logits.end_logits)?;
            let mut windows = Vec::with_capacity(rows.len());
            for ((&row, mut start_logits), mut end_logits) in rows.iter().zip(starts).zip(ends) {
                start_logits.truncate(encodings[row].len());
                end_logits.truncate(encodings[row].len());
                windows.push(WindowLogits {
                    start_logits,
                    end_logits,
                });
            }
            Ok(windows)
        };
        self.pretrained.forward_shared_rows(encodings, run, forward)
    }
}
