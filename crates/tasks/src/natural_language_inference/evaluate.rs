use std::path::Path;

use bert_encoder::Encoder;
use bert_text::LabelSet;
use bert_text_classification::ModelForSequenceClassification;
use bert_text_classification::metrics::{LabelMetrics, evaluate_by_label};
use burn::tensor::Device;
use serde_json::{Map, Value, json};

use super::NliClassifier;
use crate::text_classification::{
    Activation, Prediction, Split, Targets, best_label, examination, predictions,
};
use crate::{BatchLoss, Evaluation, Metrics, Position, RunOptions, Task, TaskError};

/// The figures of an evaluation and the predictions that they were computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct NliScored {
    /// The figures by the names of the labels.
    pub evaluation: Evaluation,
    /// The same by ids.
    pub metrics: LabelMetrics,
    /// One prediction a pair, in the order of the data.
    pub predictions: Vec<Prediction>,
}

impl NliClassifier {
    /// Scores a model on labelled data.
    ///
    /// # Errors
    ///
    /// The data does not fit the model.
    pub fn evaluate(
        &self,
        model: &ModelForSequenceClassification,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<NliScored, TaskError> {
        let Targets::Classes(references) = &split.targets else {
            return Err(TaskError::Labels {
                path: split.path.clone(),
                reason: "natural-language inference has one class for each pair".to_owned(),
            });
        };
        let (logits, loss) = self.classifier.logits_and_loss(model, split, run)?;
        let predicted: Vec<usize> = logits.iter().map(|row| best_label(row)).collect();
        let (evaluation, metrics) = self.figures(&predicted, references, loss)?;
        Ok(NliScored {
            evaluation: evaluation.with(examination(&self.classifier.labels, &logits, split)),
            metrics,
            predictions: predictions(logits, &split.documents, Activation::Softmax),
        })
    }

    /// The figures of some of the pairs that were scored, each as often as it is listed; without the loss.
    ///
    /// # Errors
    ///
    /// There are no pairs.
    pub fn figures_of(
        &self,
        scored: &NliScored,
        split: &Split,
        pairs: &[usize],
    ) -> Result<Metrics, TaskError> {
        let references = self.classes(split).unwrap_or_default();
        let references: Vec<usize> = pairs.iter().map(|&pair| references[pair]).collect();
        let predicted = pairs
            .iter()
            .map(|&pair| best_label(&scored.predictions[pair].logits));
        let predicted: Vec<usize> = predicted.collect();
        let (evaluation, _) = self.figures(&predicted, &references, 0.0)?;
        let mut metrics = evaluation.metrics;
        metrics.remove("loss");
        Ok(metrics)
    }

    fn figures(
        &self,
        predicted: &[usize],
        references: &[usize],
        loss: f64,
    ) -> Result<(Evaluation, LabelMetrics), TaskError> {
        let labels = &self.classifier.labels;
        let metrics =
            evaluate_by_label(predicted, references, labels.len()).map_err(TaskError::metrics)?;
        let figures = named(&metrics, labels);
        let evaluation = Evaluation::of(&figures, loss, "accuracy", metrics.accuracy);
        Ok((evaluation, metrics))
    }
}

/// The figures with the labels' names: `labels` has the scores of each label, `confusion` has for each reference the number
/// of each prediction.
fn named(metrics: &LabelMetrics, labels: &LabelSet) -> Value {
    let by_name = |values: Vec<Value>| -> Map<String, Value> {
        labels.names().iter().cloned().zip(values).collect()
    };
    let scores = metrics.labels.iter().map(|scores| json!(scores)).collect();
    let row = |counts: &Vec<u64>| {
        Value::Object(by_name(counts.iter().map(|count| json!(count)).collect()))
    };
    json!({
        "examples": metrics.examples,
        "accuracy": metrics.accuracy,
        "f1_macro": metrics.f1_macro,
        "labels": by_name(scores),
        "confusion": by_name(metrics.confusion.iter().map(row).collect()),
    })
}

/// Text classification with figures of its own.
impl Task for NliClassifier {
    type Model = ModelForSequenceClassification;
    type Split = Split;

    fn encoder_layers(&self) -> usize {
        self.classifier.encoder_layers()
    }

    fn encoder_mut<'m>(&self, model: &'m mut Self::Model) -> &'m mut Encoder {
        &mut model.encoder
    }

    fn lengths(&self, split: &Split) -> Vec<usize> {
        self.classifier.lengths(split)
    }

    fn label_count(&self, train: &Split, rows: &[usize], position: Position) -> usize {
        self.classifier.label_count(train, rows, position)
    }

    fn label_weight(&self, train: &Split, rows: &[usize], position: Position) -> f64 {
        self.classifier.label_weight(train, rows, position)
    }

    fn classes(&self, split: &Split) -> Option<Vec<usize>> {
        self.classifier.classes(split)
    }

    fn example_figures(&self, split: &Split) -> Result<Option<Evaluation>, TaskError> {
        let references = self.classes(split).unwrap_or_default();
        let (evaluation, _) = self.figures(&references, &references, 0.0)?;
        Ok(Some(evaluation))
    }

    fn loss(
        &self,
        model: &Self::Model,
        train: &Split,
        rows: &[usize],
        position: Position,
        device: &Device,
    ) -> Result<BatchLoss, TaskError> {
        self.classifier.loss(model, train, rows, position, device)
    }

    fn score(
        &self,
        model: &Self::Model,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Evaluation, TaskError> {
        Ok(self.evaluate(model, split, run)?.evaluation)
    }

    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TaskError> {
        self.classifier.save(model, dir)
    }
}
