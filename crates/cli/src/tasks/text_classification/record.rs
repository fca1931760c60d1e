//! The JSON object of one prediction, with the field names of transformers' pipeline.

use anyhow::Result;
use bert_tasks::text_classification::head::ProblemType;
use bert_tasks::text_classification::{Activation, Prediction, Split, Targets, TextClassifier};
use serde::Serialize;

/// From this logit on, a sigmoid of 0.5, a class of a multi-label model applies.
const APPLIES: f32 = 0.0;

#[derive(Debug, Serialize)]
pub(crate) struct Record<'a> {
    /// The class with the highest score.
    label: &'a str,
    /// Its score; of a regression, the number predicted.
    score: f32,
    /// One label only: what made the score of the model's output.
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<Activation>,
    /// Of a long text that is read in windows: how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    windows: Option<usize>,
    /// Multi label only: every class that applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<&'a str>>,
    /// What the data says.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference<'a>>,
    /// In id order.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<&'a [f32]>,
    /// In id order.
    #[serde(skip_serializing_if = "Option::is_none")]
    logits: Option<&'a [f32]>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Reference<'a> {
    Class(&'a str),
    Classes(Vec<&'a str>),
    Value(f32),
}

impl<'a> Record<'a> {
    pub(crate) fn new(prediction: &'a Prediction, classifier: &'a TextClassifier) -> Self {
        let names = classifier.labels.names();
        let best = prediction.best();
        let labels = match classifier.problem_type {
            ProblemType::MultiLabelClassification => {
                let applies = prediction.logits.iter().map(|&logit| logit >= APPLIES);
                Some(chosen(names, applies))
            }
            ProblemType::SingleLabelClassification | ProblemType::Regression => None,
        };
        Self {
            label: &names[best.id],
            score: best.score,
            activation: (names.len() == 1).then_some(prediction.activation),
            windows: Some(prediction.windows).filter(|&windows| windows > 1),
            labels,
            reference: None,
            scores: None,
            logits: None,
        }
    }

    pub(crate) fn with_scores(self, prediction: &'a Prediction) -> Self {
        Self {
            scores: Some(&prediction.scores),
            ..self
        }
    }

    pub(crate) fn with_logits(self, prediction: &'a Prediction) -> Self {
        Self {
            logits: Some(&prediction.logits),
            ..self
        }
    }

    fn with_reference(self, targets: &Targets, row: usize, classifier: &'a TextClassifier) -> Self {
        let names = classifier.labels.names();
        let reference = match targets {
            Targets::Classes(classes) => Reference::Class(&names[classes[row]]),
            Targets::MultiHot(rows) => {
                Reference::Classes(chosen(names, rows[row].iter().map(|&hot| hot > 0.5)))
            }
            Targets::Values(values) => Reference::Value(values[row]),
        };
        Self {
            reference: Some(reference),
            ..self
        }
    }
}

/// The records of a data set with labels, for `--predictions`.
pub(crate) fn labelled_records<'a>(
    predictions: &'a [Prediction],
    split: &'a Split,
    classifier: &'a TextClassifier,
) -> impl Iterator<Item = Result<Record<'a>>> {
    predictions.iter().enumerate().map(|(row, prediction)| {
        let record = Record::new(prediction, classifier);
        let record = record.with_reference(&split.targets, row, classifier);
        Ok(record.with_logits(prediction))
    })
}

fn chosen(names: &[String], is_chosen: impl Iterator<Item = bool>) -> Vec<&str> {
    let pairs = names.iter().zip(is_chosen);
    pairs
        .filter(|(_, is_chosen)| *is_chosen)
        .map(|(name, _)| name.as_str())
        .collect()
}
