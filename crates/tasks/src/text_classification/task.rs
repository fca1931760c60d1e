use std::num::NonZeroUsize;
use std::path::Path;

use bert_text::Encoding;
use bert_text_classification::metrics::{
    evaluate_multi_label, evaluate_regression, evaluate_single_label, multi_hot,
};
use bert_text_classification::{ModelForSequenceClassification, loss};
use burn::tensor::Device;

use super::predict::Prediction;
use super::{Split, Targets, TextClassifier};
use crate::pretrained::rows_of;
use crate::{BatchLoss, EVALUATION_BATCH_SIZE, Evaluation, Task, TaskError};

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
        model: &ModelForSequenceClassification,
        split: &Split,
        batch_size: NonZeroUsize,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Scored, TaskError> {
        let mut logits: Vec<Vec<f32>> = vec![Vec::new(); split.len()];
        let mut loss_sum = 0.0;
        let take = |rows: &[usize], input| {
            let batch_logits = model.forward(input)?;
            let labels = split.targets.labels(rows, device);
            let mean: f32 = loss(batch_logits.clone(), labels).into_scalar();
            loss_sum += f64::from(mean) * rows.len() as f64;
            for (row, one) in rows.iter().zip(rows_of(batch_logits)) {
                logits[*row] = one;
            }
            Ok(())
        };
        self.pretrained
            .forward_all(&split.encodings, batch_size, device, tick, take)?;
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
    ) -> Result<Evaluation, TaskError> {
        match targets {
            Targets::Classes(classes) => {
                let predicted: Vec<usize> = logits.iter().map(|row| highest(row)).collect();
                let metrics = evaluate_single_label(&predicted, classes, self.labels.len())?;
                Ok(Evaluation::of(&metrics, loss, "accuracy", metrics.accuracy))
            }
            Targets::MultiHot(hot) => {
                let predicted = multi_hot(&logits.concat())?;
                let references: Vec<bool> = hot.iter().flatten().map(|&one| one > 0.5).collect();
                let metrics = evaluate_multi_label(&predicted, &references, self.labels.len())?;
                Ok(Evaluation::of(&metrics, loss, "f1_micro", metrics.f1_micro))
            }
            Targets::Values(values) => {
                let metrics = evaluate_regression(&logits.concat(), values)?;
                let score = metrics.pearson.unwrap_or(f64::NEG_INFINITY);
                Ok(Evaluation::of(&metrics, loss, "pearson", score))
            }
        }
    }
}

/// The first of the highest values.
pub(crate) fn highest(logits: &[f32]) -> usize {
    (1..logits.len()).fold(
        0,
        |best, id| if logits[id] > logits[best] { id } else { best },
    )
}

impl Task for TextClassificationTask {
    type Model = ModelForSequenceClassification;
    type Split = Split;

    fn lengths(&self) -> &[usize] {
        &self.train.lengths
    }

    fn label_count(&self, rows: &[usize]) -> usize {
        rows.len()
    }

    fn encoder_layers(&self) -> usize {
        self.classifier.pretrained.encoder.num_hidden_layers
    }

    fn loss(
        &self,
        model: &Self::Model,
        rows: &[usize],
        device: &Device,
    ) -> Result<BatchLoss, TaskError> {
        let encodings: Vec<&Encoding> =
            rows.iter().map(|&row| &self.train.encodings[row]).collect();
        let (input, tokens) = self.classifier.pretrained.batch(&encodings, device);
        let logits = model.forward(input)?;
        let labels = self.train.targets.labels(rows, device);
        Ok(BatchLoss {
            loss: loss(logits, labels),
            tokens,
        })
    }

    fn evaluation_split(&self) -> Option<&Split> {
        self.eval.as_ref()
    }

    fn score(
        &self,
        model: &Self::Model,
        split: &Split,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Evaluation, TaskError> {
        let scored = self
            .classifier
            .evaluate(model, split, EVALUATION_BATCH_SIZE, device, tick)?;
        Ok(scored.evaluation)
    }

    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TaskError> {
        self.classifier.save(model, dir)
    }
}
