use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::TaskError;

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
    /// Which of them says which checkpoint is best.
    pub selected_by: &'static str,
    /// Its value; higher is better.
    pub score: f64,
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
        }
    }
}

/// Where a run is when it takes a batch: the counters that random choices about training data are drawn from, so that a
/// row is treated alike whenever the run comes to this place again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Seed of the run.
    pub seed: u64,
    /// Passes over the training data that are done. A row is seen once in each.
    pub epoch: u64,
}

/// What the training loop needs to know of one downstream task: its data, its loss, how it is scored and saved.
pub trait Task {
    /// The model that is trained.
    type Model: Module;
    /// A data set ready for the model.
    type Split;

    /// Tokens of each training example, from which batches are made.
    fn lengths(&self) -> &[usize];

    /// How many labels the loss of a batch of training examples averages over. With accumulation, batches are weighted
    /// by it.
    fn label_count(&self, rows: &[usize]) -> usize;

    /// Number of layers of the model's encoder.
    fn encoder_layers(&self) -> usize;

    /// The loss of a batch of training examples.
    ///
    /// # Errors
    ///
    /// The batch does not fit the model.
    fn loss(
        &self,
        model: &Self::Model,
        rows: &[usize],
        device: &Device,
    ) -> Result<BatchLoss, TaskError>;

    /// [`label_count`](Self::label_count) at a place of the run, for data that is not the same in every epoch.
    #[expect(unused_variables, reason = "most data is the same in every epoch")]
    fn label_count_at(&self, rows: &[usize], position: Position) -> usize {
        self.label_count(rows)
    }

    /// [`loss`](Self::loss) at a place of the run, for data that is not the same in every epoch. The loop calls this one.
    ///
    /// # Errors
    ///
    /// As [`loss`](Self::loss).
    #[expect(unused_variables, reason = "most data is the same in every epoch")]
    fn loss_at(
        &self,
        model: &Self::Model,
        rows: &[usize],
        position: Position,
        device: &Device,
    ) -> Result<BatchLoss, TaskError> {
        self.loss(model, rows, device)
    }

    /// What the model is scored on while it is trained, if there is anything.
    fn evaluation_split(&self) -> Option<&Self::Split>;

    /// Scores a model in evaluation mode. `tick` is called with the share of the work that is done, in [0, 1].
    ///
    /// # Errors
    ///
    /// The data does not fit the model.
    fn score(
        &self,
        model: &Self::Model,
        split: &Self::Split,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Evaluation, TaskError>;

    /// Writes a model in evaluation mode as a directory that transformers opens.
    ///
    /// # Errors
    ///
    /// A file could not be written.
    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TaskError>;
}
