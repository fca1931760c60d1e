//! Models for tests.

use bert_encoder::{Encoder, EncoderConfig};
use bert_text_classification::{
    ModelForSequenceClassification, ProblemType, SequenceClassificationConfig,
};
use bert_weights::{Checkpoint, LoadOptions, LoadReport, load, read_config};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::ChaCha12Rng;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;

use crate::named::{classifier_keys, encoder_keys};

/// Loads an encoder with its pooler.
///
/// # Errors
/// The checkpoint is none of an encoder alone.
pub fn load_encoder(
    checkpoint: &Checkpoint,
    device: &Device,
) -> anyhow::Result<(Encoder, LoadReport)> {
    let config: EncoderConfig = read_config(checkpoint)?;
    let options = LoadOptions::default();
    Ok(load(
        config.init(device)?,
        checkpoint,
        &encoder_keys()?,
        &options,
    )?)
}

/// Loads a classifier with its head, every dropout set to `dropout`.
///
/// # Errors
/// The checkpoint is none of a classifier.
pub fn load_classifier(
    checkpoint: &Checkpoint,
    dropout: f64,
    device: &Device,
) -> anyhow::Result<ModelForSequenceClassification> {
    let config = SequenceClassificationConfig {
        encoder: read_config::<EncoderConfig>(checkpoint)?.with_dropout(dropout),
        num_labels: num_labels(checkpoint),
    };
    let options = LoadOptions::default();
    Ok(load(
        config.init(device)?,
        checkpoint,
        &classifier_keys()?,
        &options,
    )?
    .0)
}

/// The problem type that a checkpoint's configuration states, or that transformers concludes where it states none.
///
/// # Errors
/// The configuration states an unknown one.
pub fn problem_type(checkpoint: &Checkpoint) -> anyhow::Result<ProblemType> {
    #[derive(Deserialize)]
    struct Stated {
        problem_type: Option<ProblemType>,
    }
    let stated: Stated = read_config(checkpoint)?;
    Ok(stated.problem_type.unwrap_or(match num_labels(checkpoint) {
        1 => ProblemType::Regression,
        _ => ProblemType::SingleLabelClassification,
    }))
}

/// The rows of the classifier's matrix; 0 where there is none.
fn num_labels(checkpoint: &Checkpoint) -> usize {
    let tensors = checkpoint.tensors().iter();
    let mut heads = tensors.filter(|tensor| tensor.name == "classifier.weight");
    heads.next().map_or(0, |head| head.shape[0])
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
