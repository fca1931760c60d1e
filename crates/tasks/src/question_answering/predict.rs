use bert_question_answering::{
    Candidate, DecodeOptions, ModelForQuestionAnswering, Span, Window, decode,
};
use bert_text::{QuestionInput, char_slice};

use super::{QuestionAnswerer, WindowLogits, Windows};
use crate::{RunOptions, TaskError};

/// How answers are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictOptions {
    /// Starts, ends and spans that are looked at; 20.
    pub n_best: usize,
    /// Longest answer in tokens; 30.
    pub max_answer_length: usize,
    /// A question is left unanswered when no answer scores better than the best span by more than this; `None` answers
    /// every question.
    pub null_threshold: Option<f32>,
}

impl Default for PredictOptions {
    fn default() -> Self {
        let decode = DecodeOptions::default();
        Self {
            n_best: decode.n_best,
            max_answer_length: decode.max_answer_length,
            null_threshold: None,
        }
    }
}

/// A possible answer, with the names of transformers' pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its text, `""` for "no answer".
    pub answer: String,
    /// Its probability among the candidates that were kept; 0 where there is no candidate at all.
    pub score: f32,
    /// Where it stands; `None` for "no answer".
    pub span: Option<Span>,
}

/// The prediction for one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The answer.
    pub best: Answer,
    /// All candidates, best first, each span once. "No answer" can be one of them; it can come first although `best` is a
    /// span.
    pub answers: Vec<Answer>,
    /// The model's raw outputs for each window, over all contexts.
    pub logits: Vec<WindowLogits>,
}

impl QuestionAnswerer {
    /// Answers questions, given with their windows ([`windows_of`](Self::windows_of)); the results are in their order.
    /// The windows of all contexts of a question compete.
    ///
    /// # Errors
    ///
    /// The windows do not fit the model.
    pub fn predict(
        &self,
        model: &ModelForQuestionAnswering,
        questions: Vec<(&QuestionInput, Windows)>,
        options: &PredictOptions,
        run: RunOptions<'_>,
    ) -> Result<Vec<Prediction>, TaskError> {
        let mut all = Windows::default();
        let mut inputs = Vec::with_capacity(questions.len());
        for (input, windows) in questions {
            inputs.push(input);
            all.append(windows);
        }
        let mut logits = self.logits(model, &all, run)?;
        let predictions = inputs.into_iter().enumerate().map(|(question, input)| {
            let windows = all.of_question(question, &logits);
            let (best, answers) = answers(input, &windows, options);
            (all.questions[question].clone(), best, answers)
        });
        let predictions: Vec<_> = predictions.collect();
        let mut taken = |rows: std::ops::Range<usize>| {
            let logits = logits[rows].iter_mut().map(std::mem::take);
            logits.collect()
        };
        Ok(predictions
            .into_iter()
            .map(|(rows, best, answers)| Prediction {
                best,
                answers,
                logits: taken(rows),
            })
            .collect())
    }
}

/// The answer and all candidates.
fn answers(
    input: &QuestionInput,
    windows: &[Window<'_>],
    options: &PredictOptions,
) -> (Answer, Vec<Answer>) {
    let decoded = decode(
        windows,
        &DecodeOptions {
            n_best: options.n_best,
            max_answer_length: options.max_answer_length,
            with_null: options.null_threshold.is_some(),
            distinct: true,
        },
    );
    let named = |candidate: &Candidate| Answer {
        answer: candidate
            .span
            .map_or("", |span| text(input, span))
            .to_owned(),
        score: candidate.probability,
        span: candidate.span,
    };
    let none = Answer {
        answer: String::new(),
        score: 0.0,
        span: None,
    };
    let threshold = options.null_threshold.unwrap_or(f32::MAX);
    let best = decoded.answer(threshold).map_or(none, named);
    (best, decoded.candidates.iter().map(named).collect())
}

fn text(input: &QuestionInput, span: Span) -> &str {
    let context = input.context.as_slice().get(span.context);
    context
        .and_then(|context| char_slice(context, span.start..span.end))
        .unwrap_or_default()
}
