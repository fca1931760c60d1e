use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde_json::{Map, Value};

use crate::TrainError;

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

/// What the training loop needs to know of one downstream task: its data, its loss, how it is scored and saved.
pub trait Task {
    /// The model that is trained.
    type Model: Module;

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
    ) -> Result<BatchLoss, TrainError>;

    /// Scores a model in evaluation mode; `None` when there is no evaluation data. `tick` is called with the share of the
    /// work that is done, in [0, 1].
    ///
    /// # Errors
    ///
    /// The data does not fit the model.
    fn evaluate(
        &self,
        model: &Self::Model,
        device: &Device,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Option<Evaluation>, TrainError>;

    /// Writes a model in evaluation mode as a directory that transformers opens.
    ///
    /// # Errors
    ///
    /// A file could not be written.
    fn save(&self, model: &Self::Model, dir: &Path) -> Result<(), TrainError>;
}
