use std::path::Path;

use bert_report::Examination;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{RunOptions, TaskError};

/// Named figures, in the order in which they are shown.
pub type Metrics = Map<String, Value>;

/// The loss of one forward pass.
#[derive(Debug)]
pub struct BatchLoss {
    /// Mean over the labels of the batch, `[1]`.
    pub loss: Tensor<1>,
    /// Tokens that are not padding.
    pub tokens: usize,
}

/// The figures of one evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Every figure.
    pub metrics: Metrics,
    /// The name of the figure that decides which checkpoint is best.
    pub selected_by: &'static str,
    /// Its value; higher is better.
    pub score: f64,
    /// What single predictions tell beyond the figures.
    pub examination: Examination,
}

impl Evaluation {
    /// The figures of a serializable struct, with the mean loss.
    pub fn of(figures: &impl Serialize, loss: f64, selected_by: &'static str, score: f64) -> Self {
        let mut metrics = Metrics::new();
        if let Value::Object(figures) = json!(figures) {
            metrics.extend(figures);
        }
        metrics.insert("loss".into(), json!(loss));
        Self {
            metrics,
            selected_by,
            score,
            examination: Examination::default(),
        }
    }

    /// The same with what single predictions tell.
    pub fn with(self, examination: Examination) -> Self {
        Self {
            examination,
            ..self
        }
    }
}

/// The place of a batch in a run. Random choices about training data are drawn from these counters, so that they are the
/// same whenever the run comes to this place again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Seed of the run.
    pub seed: u64,
    /// Finished passes over the training data. Each pass sees a row once.
    pub epoch: u64,
}

/// What a training loop needs of a downstream task. The type that implements it is the task's setup: everything about a
/// model but its weights.
pub trait Task {
    /// The model that is trained.
    type Model: Module;
    /// A data set ready for the model.
    type Split;

    /// Number of layers of the model's encoder.
    fn encoder_layers(&self) -> usize;

    /// Tokens of each example of a data set. The loop makes batches of similar lengths from them.
    fn lengths(&self, split: &Self::Split) -> Vec<usize>;

    /// How many labels the [`loss`](Self::loss) of these examples averages over. With accumulation the loop weights batches
    /// by it.
    fn label_count(&self, train: &Self::Split, rows: &[usize], position: Position) -> usize;

    /// The loss of some training examples at a place of the run.
    ///
    /// # Errors
    ///
    /// The batch does not fit the model.
    fn loss(
        &self,
        model: &Self::Model,
        train: &Self::Split,
        rows: &[usize],
        position: Position,
        device: &Device,
    ) -> Result<BatchLoss, TaskError>;

    /// Scores a model in evaluation mode.
    ///
    /// # Errors
    ///
    /// The data does not fit the model.
    fn score(
        &self,
        model: &Self::Model,
        split: &Self::Split,
        run: RunOptions<'_>,
    ) -> Result<Evaluation, TaskError>;

    /// Writes a model in evaluation mode as a directory that transformers opens.
    ///
    /// # Errors
    ///
    /// A file could not be written; what was there before is then still there.
    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TaskError>;
}
