//! Text classifiers from golden checkpoints, their batches, and weights that need no random numbers of a device.

use bert_encoder::{EncoderConfig, EncoderInput, ModelType};
use bert_parity::Golden;
use bert_parity::model::num_labels;
use bert_parity::named::model_keys;
use bert_tasks::{BatchLoss, TaskError};
use bert_text_classification::{
    Labels, ModelForSequenceClassification, SequenceClassificationConfig, head_keys, loss,
};
use bert_train::{Schedule, ScheduleShape};
use bert_weights::{Checkpoint, KeyMap, LoadOptions, load, read_config};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::rngs::ChaCha12Rng;
use rand::{RngExt, SeedableRng};

use crate::DoctorError;

/// A batch of single-label classification, for [`bert_train::Stepper`].
#[derive(Debug, Clone)]
pub struct Batch {
    /// What the encoder gets.
    pub input: EncoderInput,
    /// `[B]`.
    pub labels: Tensor<1, Int>,
}

impl Batch {
    /// Reads the tensors with a prefix.
    ///
    /// # Errors
    /// One of them is missing.
    pub fn read(golden: &Golden, prefix: &str, device: &Device) -> Result<Self, DoctorError> {
        Ok(Self {
            input: golden.input(prefix, device)?.into(),
            labels: golden.ints(&format!("{prefix}labels"), device)?,
        })
    }
}

/// The loss of a batch.
///
/// # Errors
/// The batch does not fit the model.
pub fn batch_loss(
    model: &ModelForSequenceClassification,
    batch: &Batch,
) -> Result<BatchLoss, TaskError> {
    let Batch { input, labels } = batch.clone();
    let [rows, columns] = input.dims();
    Ok(BatchLoss {
        loss: loss(model.forward(input)?, Labels::Classes(labels)),
        tokens: rows * columns,
    })
}

/// BERT's key map of a text classifier.
///
/// # Errors
/// A map is malformed.
pub fn classifier_keys() -> Result<KeyMap, DoctorError> {
    Ok(model_keys(&head_keys(ModelType::Bert)?)?)
}

/// Loads a classifier with its head, every dropout set to `dropout`.
///
/// # Errors
/// The checkpoint is none of a classifier.
pub fn load_classifier(
    checkpoint: &Checkpoint,
    dropout: f64,
    device: &Device,
) -> Result<ModelForSequenceClassification, DoctorError> {
    let config = SequenceClassificationConfig {
        encoder: read_config::<EncoderConfig>(checkpoint)?.with_dropout(dropout),
        num_labels: num_labels(checkpoint),
    };
    let options = LoadOptions::default();
    let model = config.init(device)?;
    Ok(load(model, checkpoint, &classifier_keys()?, &options)?.0)
}

/// The learning rates of a case.
///
/// # Errors
/// The case has no settings.
pub fn schedule(golden: &Golden) -> Result<Schedule, DoctorError> {
    Ok(Schedule {
        shape: ScheduleShape::Linear,
        peak: golden.number("/settings/learning_rate")?,
        warmup_steps: golden.index("/settings/warmup_steps")?,
        total_steps: golden.index("/settings/total_steps")?,
    })
}

/// Gives every parameter uniform values around what it has at the start: LayerNorm weights around 1, all else around 0.
/// They depend on the seed alone, not on the device or on what else runs in this process.
pub fn randomise<M: Module>(model: M, seed: u64) -> M {
    model.map(&mut Randomise {
        random: ChaCha12Rng::seed_from_u64(seed),
        name: String::new(),
    })
}

struct Randomise {
    random: ChaCha12Rng,
    name: String,
}

impl ModuleMapper for Randomise {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        name.clone_into(&mut self.name);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let centre = if self.name == "gamma" { 1.0 } else { 0.0 };
        param.map(|tensor| {
            let values: Vec<f32> = (0..tensor.shape().num_elements())
                .map(|_| centre + self.random.random_range(-0.3..0.3))
                .collect();
            let data = TensorData::new(values, tensor.shape());
            let drawn = Tensor::from_data(data, &tensor.device());
            drawn.set_require_grad(tensor.is_require_grad())
        })
    }
}
