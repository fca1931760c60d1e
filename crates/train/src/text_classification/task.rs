use std::num::NonZeroUsize;
use std::path::Path;

use bert_text::Encoding;
use bert_text_classification::metrics::{
    evaluate_multi_label, evaluate_regression, evaluate_single_label, multi_hot,
};
use bert_text_classification::{BertForSequenceClassification, loss};
use burn::tensor::Device;
use serde::Serialize;
use serde_json::{Value, json};

use super::predict::{Prediction, rows_of};
use super::{Split, Targets, TextClassifier, batch};
use crate::{BatchLoss, Evaluation, Metrics, Task, TrainError};

/// Rows of one forward pass in evaluation: gradients need no room there. 64 is past the point where larger batches of
/// sentences make the products any faster on two cores.
pub const EVALUATION_BATCH_SIZE: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");

/// A text classifier with its training and evaluation data.
#[derive(Debug)]
pub struct TextClassificationTask {
    /// Everything about the classifier but its weights.
    pub classifier: TextClassifier,
    /// What it learns from.
    pub train: Split,
    /// What it is scored on.
    pub eval: Option<Split>,
}

/// The figures of an evaluation and the predictions that they were computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The figures.
    pub evaluation: Evaluation,
    /// One prediction a row, in the order of the data.
    pub predictions: Vec<Prediction>,
}

impl TextClassifier {
    /// Scores a model on labelled data.
    ///
    /// # Errors
    ///
    /// The data does not fit the model.
    pub fn evaluate(
        &self,
        model: &BertForSequenceClassification,
        split: &Split,
        batch_size: NonZeroUsize,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Scored, TrainError> {
        let mut logits: Vec<Vec<f32>> = vec![Vec::new(); split.len()];
        let mut loss_sum = 0.0;
        self.forward_all(
            model,
            &split.encodings,
            batch_size,
            device,
            tick,
            |rows, batch_logits| {
                let labels = split.targets.labels(rows, device);
                let mean: f32 = loss(batch_logits.clone(), labels).into_scalar();
                loss_sum += f64::from(mean) * rows.len() as f64;
                for (row, one) in rows.iter().zip(rows_of(batch_logits)) {
                    logits[*row] = one;
                }
            },
        )?;
        let evaluation = self.score(
            &logits,
            &split.targets,
            loss_sum / split.len().max(1) as f64,
        )?;
        let predictions = logits
            .into_iter()
            .zip(&split.encodings)
            .map(|(logits, encoding)| {
                Prediction::new(logits, self.problem_type, encoding.truncated_tokens)
            });
        Ok(Scored {
            evaluation,
            predictions: predictions.collect(),
        })
    }

    fn score(
        &self,
        logits: &[Vec<f32>],
        targets: &Targets,
        loss: f64,
    ) -> Result<Evaluation, TrainError> {
        match targets {
            Targets::Classes(classes) => {
                let predicted: Vec<usize> = logits.iter().map(|row| highest(row)).collect();
                let metrics = evaluate_single_label(&predicted, classes, self.labels.len())?;
                Ok(evaluation(&metrics, loss, "accuracy", metrics.accuracy))
            }
            Targets::MultiHot(hot) => {
                let predicted = multi_hot(&logits.concat())?;
                let references: Vec<bool> = hot.iter().flatten().map(|&one| one > 0.5).collect();
                let metrics = evaluate_multi_label(&predicted, &references, self.labels.len())?;
                Ok(evaluation(&metrics, loss, "f1_micro", metrics.f1_micro))
            }
            Targets::Values(values) => {
                let metrics = evaluate_regression(&logits.concat(), values)?;
                let score = metrics.pearson.unwrap_or(f64::NEG_INFINITY);
                Ok(evaluation(&metrics, loss, "pearson", score))
            }
        }
    }
}

/// The first of the highest values.
fn highest(logits: &[f32]) -> usize {
    (1..logits.len()).fold(
        0,
        |best, id| if logits[id] > logits[best] { id } else { best },
    )
}

fn evaluation(
    figures: &impl Serialize,
    loss: f64,
    selected_by: &'static str,
    score: f64,
) -> Evaluation {
    let mut metrics = Metrics::new();
    if let Value::Object(figures) = json!(figures) {
        metrics.extend(figures);
    }
    metrics.insert("loss".into(), json!(loss));
    Evaluation {
        metrics,
        selected_by,
        score,
    }
}

impl Task for TextClassificationTask {
    type Model = BertForSequenceClassification;

    fn lengths(&self) -> &[usize] {
        &self.train.lengths
    }

    fn label_count(&self, rows: &[usize]) -> usize {
        rows.len()
    }

    fn encoder_layers(&self) -> usize {
        self.classifier.encoder.num_hidden_layers
    }

    fn loss(
        &self,
        model: &Self::Model,
        rows: &[usize],
        device: &Device,
    ) -> Result<BatchLoss, TrainError> {
        let encodings: Vec<&Encoding> =
            rows.iter().map(|&row| &self.train.encodings[row]).collect();
        let (input, tokens) =
            batch::input(&encodings, self.classifier.tokenizer.pad_token_id(), device);
        let logits = model.forward(input)?;
        let labels = self.train.targets.labels(rows, device);
        Ok(BatchLoss {
            loss: loss(logits, labels),
            tokens,
        })
    }

    fn evaluate(
        &self,
        model: &Self::Model,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Option<Evaluation>, TrainError> {
        let Some(split) = &self.eval else {
            return Ok(None);
        };
        let scored = self
            .classifier
            .evaluate(model, split, EVALUATION_BATCH_SIZE, device, tick)?;
        Ok(Some(scored.evaluation))
    }

    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TrainError> {
        self.classifier.save(model, dir)
    }
}
