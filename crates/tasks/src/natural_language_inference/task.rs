use std::num::NonZeroUsize;
use std::path::Path;

use bert_nli::{ModelForSequenceClassification, NliMetrics, evaluate};
use bert_text::LabelSet;
use burn::tensor::Device;
use serde_json::{Map, Value, json};

use super::NliClassifier;
use crate::text_classification::{
    Prediction, Split, Targets, TextClassificationTask, TextClassifier, highest,
};
use crate::{BatchLoss, EVALUATION_BATCH_SIZE, Evaluation, Task, TaskError};

/// A classifier of premises and hypotheses with its training and evaluation data.
#[derive(Debug)]
pub struct NliTask {
    task: TextClassificationTask,
}

/// The figures of an evaluation and the predictions that they were computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct NliScored {
    /// The figures by the names of the labels.
    pub evaluation: Evaluation,
    /// The same by ids.
    pub metrics: NliMetrics,
    /// One prediction a pair, in the order of the data.
    pub predictions: Vec<Prediction>,
}

impl NliTask {
    /// A task from a classifier and what its [`encode`](NliClassifier::encode) gave.
    pub fn new(classifier: NliClassifier, train: Split, eval: Option<Split>) -> Self {
        Self {
            task: TextClassificationTask {
                classifier: classifier.classifier,
                train,
                eval,
            },
        }
    }
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
        batch_size: NonZeroUsize,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<NliScored, TaskError> {
        score(&self.classifier, model, split, batch_size, device, tick)
    }
}

fn score(
    classifier: &TextClassifier,
    model: &ModelForSequenceClassification,
    split: &Split,
    batch_size: NonZeroUsize,
    device: &Device,
    tick: &mut dyn FnMut(f64),
) -> Result<NliScored, TaskError> {
    let scored = classifier.evaluate(model, split, batch_size, device, tick)?;
    let Targets::Classes(references) = &split.targets else {
        return Err(TaskError::Labels {
            path: split.path.clone(),
            reason: "natural-language inference has one class for each pair".to_owned(),
        });
    };
    let predicted: Vec<usize> = scored
        .predictions
        .iter()
        .map(|one| highest(&one.logits))
        .collect();
    let metrics = evaluate(&predicted, references, classifier.labels.len())?;
    let loss = scored
        .evaluation
        .metrics
        .get("loss")
        .and_then(Value::as_f64);
    let figures = named(&metrics, &classifier.labels);
    Ok(NliScored {
        evaluation: Evaluation::of(
            &figures,
            loss.unwrap_or(f64::NAN),
            "accuracy",
            metrics.accuracy,
        ),
        metrics,
        predictions: scored.predictions,
    })
}

/// The figures with the labels' names: `labels` has the scores of each, `confusion` for each reference the number of each
/// prediction.
fn named(metrics: &NliMetrics, labels: &LabelSet) -> Value {
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

impl Task for NliTask {
    type Model = ModelForSequenceClassification;
    type Split = Split;

    fn lengths(&self) -> &[usize] {
        self.task.lengths()
    }

    fn label_count(&self, rows: &[usize]) -> usize {
        self.task.label_count(rows)
    }

    fn encoder_layers(&self) -> usize {
        self.task.encoder_layers()
    }

    fn loss(
        &self,
        model: &Self::Model,
        rows: &[usize],
        device: &Device,
    ) -> Result<BatchLoss, TaskError> {
        self.task.loss(model, rows, device)
    }

    fn evaluation_split(&self) -> Option<&Split> {
        self.task.evaluation_split()
    }

    fn score(
        &self,
        model: &Self::Model,
        split: &Split,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Evaluation, TaskError> {
        let classifier = &self.task.classifier;
        let scored = score(
            classifier,
            model,
            split,
            EVALUATION_BATCH_SIZE,
            device,
            tick,
        )?;
        Ok(scored.evaluation)
    }

    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TaskError> {
        self.task.save(model, dir)
    }
}
