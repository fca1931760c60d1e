use bert_question_answering::metrics::{
    BestThresholds, SquadMetrics, SquadVersion, best_thresholds, evaluate,
};
use bert_question_answering::{
    Candidate, DecodeOptions, Decoded, ModelForQuestionAnswering, decode, window_loss,
};
use bert_text::{SquadDataset, SquadQuestion, char_slice};
use serde::Serialize;

use super::examine::examination;
use super::{QuestionAnswerer, Split, WindowLogits};
use crate::{Evaluation, RunOptions, TaskError};

/// When a question of SQuAD 2.0 is left unanswered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NullThreshold {
    /// When no answer scores better than the best span by more than this.
    Given(f32),
    /// By the threshold that makes the F1 of the scored data highest.
    Tuned,
}

/// How a model is scored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvaluationOptions {
    /// Whether a question may have no answer; `None` lets the data decide.
    pub version_2: Option<bool>,
    /// When a question is left unanswered, where it may be.
    pub null_threshold: NullThreshold,
    /// Starts, ends and spans that are looked at; 20.
    pub n_best: usize,
    /// Longest answer in tokens; 30.
    pub max_answer_length: usize,
}

impl Default for EvaluationOptions {
    fn default() -> Self {
        let decode = DecodeOptions::default();
        Self {
            version_2: None,
            null_threshold: NullThreshold::Given(0.0),
            n_best: decode.n_best,
            max_answer_length: decode.max_answer_length,
        }
    }
}

/// The prediction for a question of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct AnsweredQuestion {
    /// The answer, `""` for none.
    pub answer: String,
    /// All candidates.
    pub decoded: Decoded,
}

impl AnsweredQuestion {
    /// The text of a candidate, `""` for none.
    pub fn text<'a>(
        data: &'a SquadDataset,
        question: &SquadQuestion,
        candidate: Option<&Candidate>,
    ) -> &'a str {
        let span = candidate.and_then(|candidate| candidate.span);
        span.and_then(|span| char_slice(data.context(question), span.start..span.end))
            .unwrap_or_default()
    }
}

/// The figures of an evaluation and the answers that they were computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The figures.
    pub evaluation: Evaluation,
    /// One a question, in the order of the data.
    pub answers: Vec<AnsweredQuestion>,
    /// The version of SQuAD's script that the figures follow.
    pub version: SquadVersion,
}

impl Scored {
    /// Exact match and F1 of each question by itself, in percent, in the order of the data: their means are the figures.
    ///
    /// # Errors
    ///
    /// The answers are not those of this data.
    pub fn by_question(&self, data: &SquadDataset) -> Result<Vec<[f64; 2]>, TaskError> {
        let questions = data.questions.iter().zip(&self.answers);
        questions
            .map(|(question, one)| {
                let right = question.answers.iter().map(|answer| answer.text.as_str());
                let right: Vec<&str> = right.collect();
                let metrics = evaluate(&[&one.answer], &[right], self.version);
                Ok(match metrics.map_err(TaskError::metrics)? {
                    SquadMetrics::V1(metrics) => [metrics.exact_match, metrics.f1],
                    SquadMetrics::V2(metrics) => [metrics.exact, metrics.f1],
                })
            })
            .collect()
    }
}

/// The figures, for SQuAD 2.0 with the thresholds.
#[derive(Serialize)]
struct Figures {
    #[serde(flatten)]
    metrics: SquadMetrics,
    #[serde(flatten)]
    thresholds: Option<Thresholds>,
}

#[derive(Serialize)]
struct Thresholds {
    null_threshold: f32,
    #[serde(flatten)]
    best: BestThresholds,
}

impl QuestionAnswerer {
    /// Scores a model on a data set as [`evaluation`](Self::evaluation) says.
    ///
    /// # Errors
    ///
    /// The data does not fit the model, or there is none.
    pub fn evaluate(
        &self,
        model: &ModelForQuestionAnswering,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Scored, TaskError> {
        let logits = self.logits(model, &split.windows, run)?;
        let options = &self.evaluation;
        let version_2 = options
            .version_2
            .unwrap_or_else(|| split.data.has_unanswerable());
        let decode_options = DecodeOptions {
            n_best: options.n_best,
            max_answer_length: options.max_answer_length,
            with_null: version_2,
            distinct: false,
        };
        let decoded: Vec<Decoded> = (0..split.len())
            .map(|question| {
                let windows = split.windows.of_question(question, &logits);
                decode(&windows, &decode_options)
            })
            .collect();
        let losses = window_losses(split, &logits);
        score(split, decoded, version_2, options.null_threshold, &losses)
    }
}

/// The loss of each window that has a label. The softmax of a window is over its own tokens, so the loss does not
/// depend on how windows were batched.
fn window_losses(split: &Split, logits: &[WindowLogits]) -> Vec<Option<f64>> {
    let windows = split.positions.iter().zip(logits);
    windows
        .map(|(position, window)| {
            position.map(|position| window_loss(&window.start_logits, &window.end_logits, position))
        })
        .collect()
}

fn mean_loss(window_losses: &[Option<f64>]) -> f64 {
    let losses: Vec<f64> = window_losses.iter().copied().flatten().collect();
    losses.iter().sum::<f64>() / losses.len().max(1) as f64
}

fn score(
    split: &Split,
    decoded: Vec<Decoded>,
    version_2: bool,
    null_threshold: NullThreshold,
    window_losses: &[Option<f64>],
) -> Result<Scored, TaskError> {
    let data = &split.data;
    let references: Vec<Vec<&str>> = data
        .questions
        .iter()
        .map(|one| {
            one.answers
                .iter()
                .map(|answer| answer.text.as_str())
                .collect()
        })
        .collect();
    let of_each = |pick: &dyn Fn(&Decoded) -> Option<Candidate>| -> Vec<&str> {
        let questions = data.questions.iter().zip(&decoded);
        questions
            .map(|(question, one)| AnsweredQuestion::text(data, question, pick(one).as_ref()))
            .collect()
    };
    let (version, thresholds) = if version_2 {
        let spans = of_each(&|one| one.best_span().copied());
        let differences: Vec<f32> = decoded.iter().map(Decoded::null_difference).collect();
        let best =
            best_thresholds(&spans, &differences, &references).map_err(TaskError::metrics)?;
        let null_threshold = match null_threshold {
            NullThreshold::Given(threshold) => threshold,
            NullThreshold::Tuned => best.best_f1_thresh,
        };
        let thresholds = Thresholds {
            null_threshold,
            best,
        };
        (SquadVersion::V2, Some(thresholds))
    } else {
        (SquadVersion::V1, None)
    };
    let threshold = thresholds.as_ref().map_or(0.0, |one| one.null_threshold);
    let answers = of_each(&|one| one.answer(threshold).copied());
    let metrics = evaluate(&answers, &references, version).map_err(TaskError::metrics)?;
    let figures = Figures {
        metrics,
        thresholds,
    };
    let probability = |one: &Decoded| one.answer(threshold).map_or(0.0, |best| best.probability);
    let confidences: Vec<f64> = decoded
        .iter()
        .map(|one| f64::from(probability(one)))
        .collect();
    let answers: Vec<String> = answers.into_iter().map(str::to_owned).collect();
    let answers: Vec<AnsweredQuestion> = answers
        .into_iter()
        .zip(decoded)
        .map(|(answer, decoded)| AnsweredQuestion { answer, decoded })
        .collect();
    let examination = examination(split, &answers, &confidences, window_losses, version);
    let loss = mean_loss(window_losses);
    Ok(Scored {
        evaluation: Evaluation::of(&figures, loss, "f1", metrics.f1()).with(examination),
        answers,
        version,
    })
}
