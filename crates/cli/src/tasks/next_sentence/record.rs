//! The JSON object of one prediction.

use bert_tasks::pretraining::PairPrediction;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    label: &'static str,
    score: f32,
    /// What the data says.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'static str>,
    /// Those of "IsNext" and "NotNext".
    #[serde(skip_serializing_if = "Option::is_none")]
    logits: Option<&'a [f32]>,
}

/// The class's name in BERT's paper.
fn label(is_next: bool) -> &'static str {
    if is_next { "IsNext" } else { "NotNext" }
}

impl<'a> Record<'a> {
    pub(super) fn new(prediction: &PairPrediction) -> Self {
        let is_next = prediction.is_next();
        Self {
            label: label(is_next),
            score: prediction.scores[usize::from(!is_next)],
            reference: None,
            logits: None,
        }
    }

    pub(super) fn with_reference(self, is_next: bool) -> Self {
        Self {
            reference: Some(label(is_next)),
            ..self
        }
    }

    pub(super) fn with_logits(self, prediction: &'a PairPrediction) -> Self {
        Self {
            logits: Some(&prediction.logits),
            ..self
        }
    }
}
