//! Classifiers from checkpoints, and weights that need no random numbers of a device.

use bert_encoder::EncoderConfig;
use bert_testing::model::num_labels;
use bert_testing::named::head_keys;
use bert_text_classification::{ModelForSequenceClassification, SequenceClassificationConfig};
use bert_weights::checkpoint::{Checkpoint, KeyMap, LoadOptions, load, read_config};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::ChaCha12Rng;
use rand::{RngExt, SeedableRng};

/// The text classifier's key map.
///
/// # Errors
/// A map is malformed.
pub fn classifier_keys() -> anyhow::Result<KeyMap> {
    head_keys(bert_text_classification::KEY_MAP)
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
