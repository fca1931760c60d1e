//! The JSON of answers: SQuAD's files, and the objects of a prediction with the field names of transformers' pipeline.

use bert_tasks::question_answering::{Answer, AnsweredQuestion, Prediction, WindowLogits};
use bert_text::{SquadDataset, SquadQuestion};
use serde::{Serialize, Serializer};

/// One JSON object of pairs that are made while it is written.
pub(super) struct ById<F>(pub(super) F);

impl<F, I, K, V> Serialize for ById<F>
where
    F: Fn() -> I,
    I: Iterator<Item = (K, V)>,
    K: Serialize,
    V: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map((self.0)())
    }
}

/// A candidate, with the names of transformers' nbest_predictions.json.
#[derive(Debug, Serialize)]
pub(super) struct Candidate<'a> {
    start_logit: f32,
    end_logit: f32,
    text: &'a str,
    probability: f32,
}

/// All candidates of a question.
pub(super) fn n_best<'a>(
    data: &'a SquadDataset,
    question: &SquadQuestion,
    answered: &AnsweredQuestion,
) -> Vec<Candidate<'a>> {
    let candidates = answered.decoded.candidates.iter();
    candidates
        .map(|one| Candidate {
            start_logit: one.start_logit,
            end_logit: one.end_logit,
            text: AnsweredQuestion::text(data, question, Some(one)),
            probability: one.probability,
        })
        .collect()
}

/// What a model says to a question.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    #[serde(flatten)]
    best: AnswerRecord<'a>,
    /// The best of all candidates.
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<Vec<AnswerRecord<'a>>>,
    /// One list a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_logits: Option<Vec<&'a [f32]>>,
    /// One list a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_logits: Option<Vec<&'a [f32]>>,
}

/// An answer; `context[start..end]` is its text, in characters. `""` at 0 to 0 is "no answer".
#[derive(Debug, Serialize)]
struct AnswerRecord<'a> {
    answer: &'a str,
    score: f32,
    start: usize,
    end: usize,
    /// Of several contexts, the index of the one that the answer stands in; null for "no answer".
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Option<usize>>,
}

impl<'a> AnswerRecord<'a> {
    fn new(answer: &'a Answer, several_contexts: bool) -> Self {
        let span = answer.span;
        Self {
            answer: &answer.answer,
            score: answer.score,
            start: span.map_or(0, |span| span.start),
            end: span.map_or(0, |span| span.end),
            context: several_contexts.then(|| span.map(|span| span.context)),
        }
    }
}

impl<'a> Record<'a> {
    pub(super) fn new(prediction: &'a Prediction, several_contexts: bool) -> Self {
        Self {
            best: AnswerRecord::new(&prediction.best, several_contexts),
            answers: None,
            start_logits: None,
            end_logits: None,
        }
    }

    pub(super) fn with_answers(
        self,
        prediction: &'a Prediction,
        top_k: usize,
        several_contexts: bool,
    ) -> Self {
        let answers = prediction.answers.iter().take(top_k);
        Self {
            answers: Some(
                answers
                    .map(|answer| AnswerRecord::new(answer, several_contexts))
                    .collect(),
            ),
            ..self
        }
    }

    pub(super) fn with_logits(self, prediction: &'a Prediction) -> Self {
        let of =
            |side: fn(&WindowLogits) -> &[f32]| Some(prediction.logits.iter().map(side).collect());
        Self {
            start_logits: of(|window| &window.start_logits),
            end_logits: of(|window| &window.end_logits),
            ..self
        }
    }
}
