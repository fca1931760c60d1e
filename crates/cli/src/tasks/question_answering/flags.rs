//! The flags about windows and spans.

use std::num::NonZeroUsize;

use bert_tasks::question_answering::{EvaluationOptions, NullThreshold, PredictOptions};
use clap::Args;

use crate::flags::{at_least_one, integer};

#[derive(Debug, Args)]
#[command(next_help_heading = "Answers", allow_negative_numbers = true)]
pub(super) struct SpanFlags {
    /// Tokens that neighbouring windows of a long context share, transformers' doc_stride (Google's doc_stride is the distance
    /// between windows); by default 128, as in the recipe for SQuAD, or half of --max-length where that is less
    #[arg(long, value_name = "TOKENS", value_parser = integer)]
    pub(super) stride: Option<usize>,
    /// Longest answer in tokens; 30: as in the recipe for SQuAD
    #[arg(long, value_name = "TOKENS", default_value = "30", value_parser = at_least_one)]
    max_answer_length: NonZeroUsize,
    /// How many starts and ends are tried in each window, and how many answers are kept; 20: as in the recipe for SQuAD
    #[arg(long, value_name = "N", default_value = "20", value_parser = at_least_one)]
    n_best: NonZeroUsize,
    /// Leave a question unanswered if "no answer" scores higher than the best answer by more than this; by default 0 where
    /// questions may have no answer
    #[arg(long, value_name = "DIFFERENCE", value_parser = finite)]
    null_threshold: Option<f32>,
    /// Questions may have no answer, as in SQuAD 2.0; by default an evaluation finds out from the data, and a
    /// prediction always answers unless there is a --null-threshold
    #[arg(long)]
    version_2: bool,
}

impl SpanFlags {
    /// How a data set is scored.
    pub(super) fn evaluation(&self, tuned: bool) -> EvaluationOptions {
        EvaluationOptions {
            version_2: self.version_2.then_some(true),
            null_threshold: match self.null_threshold {
                _ if tuned => NullThreshold::Tuned,
                given => NullThreshold::Given(given.unwrap_or(0.0)),
            },
            n_best: self.n_best.get(),
            max_answer_length: self.max_answer_length.get(),
        }
    }

    /// How questions of a user are answered.
    pub(super) fn prediction(&self) -> PredictOptions {
        PredictOptions {
            n_best: self.n_best.get(),
            max_answer_length: self.max_answer_length.get(),
            null_threshold: self
                .null_threshold
                .or_else(|| self.version_2.then_some(0.0)),
        }
    }
}

fn finite(text: &str) -> Result<f32, String> {
    let number = text.parse::<f32>().ok();
    let number = number.filter(|number| number.is_finite());
    number.ok_or_else(|| "expected a number".to_owned())
}
