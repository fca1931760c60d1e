//! The folder of a dense layer: its configuration and its weights.

use std::path::Path;

use bert_sentence_embedding::{Activation, DENSE_KEYS, Dense, DenseConfig};
use bert_weights::{Checkpoint, KeyMap, LoadOptions, load, read_config};
use burn::tensor::Device;
use serde::Deserialize;

use super::json::wrong;
use crate::TaskError;

/// What a dense layer and a normalisation read and write.
const VECTORS: &str = "sentence_embedding";

#[derive(Debug, Deserialize)]
struct Settings {
    in_features: usize,
    out_features: usize,
    #[serde(default = "yes")]
    bias: bool,
    activation_function: Option<String>,
    #[serde(default)]
    use_residual: bool,
    #[serde(flatten)]
    vectors: VectorNames,
}

fn yes() -> bool {
    true
}

/// Which vectors a module reads and writes.
#[derive(Debug, Default, Deserialize)]
pub(super) struct VectorNames {
    module_input_name: Option<String>,
    module_output_name: Option<String>,
}

impl VectorNames {
    /// Makes sure that they are the sentences' own.
    pub(super) fn check(&self, file: &Path) -> Result<(), TaskError> {
        let named = [
            ("module_input_name", &self.module_input_name),
            ("module_output_name", &self.module_output_name),
        ];
        for (key, name) in named {
            if let Some(name) = name.as_deref().filter(|name| *name != VECTORS) {
                return Err(wrong(
                    file,
                    format!("key `{key}` is {name:?}; only {VECTORS:?} is supported"),
                ));
            }
        }
        Ok(())
    }
}

/// A dense layer before its weights are loaded.
#[derive(Debug, Clone)]
pub(super) struct DenseSetup {
    checkpoint: Checkpoint,
    pub(super) config: DenseConfig,
}

impl DenseSetup {
    /// Opens the folder of a layer.
    ///
    /// # Errors
    ///
    /// The layer is of another kind, or its weights cannot be opened.
    pub(super) fn open(folder: &Path) -> Result<Self, TaskError> {
        let checkpoint = Checkpoint::open(folder)?;
        let settings: Settings = read_config(&checkpoint)?;
        let file = folder.join(bert_weights::CONFIG_FILE);
        settings.vectors.check(&file)?;
        if settings.use_residual {
            return Err(wrong(
                &file,
                "key `use_residual` is true, which is not supported",
            ));
        }
        let activation = match &settings.activation_function {
            None => Activation::default(),
            Some(class) => Activation::of_class(class).ok_or_else(|| {
                let known = Activation::ALL.map(Activation::class).join(", ");
                let reason = format!(
                    "key `activation_function` is {class:?}, which is not supported; of torch.nn there are {known}"
                );
                wrong(&file, reason)
            })?,
        };
        let config = DenseConfig {
            in_features: settings.in_features,
            out_features: settings.out_features,
            bias: settings.bias,
            activation,
        };
        Ok(Self { checkpoint, config })
    }

    /// An error about the width of what goes in.
    pub(super) fn misfit(&self, width: usize) -> TaskError {
        wrong(
            self.checkpoint.path(),
            format!(
                "this dense layer takes vectors of {} numbers (`in_features`), but the vectors before it have {width}",
                self.config.in_features
            ),
        )
    }

    /// Loads the weights.
    ///
    /// # Errors
    ///
    /// A tensor is missing, unexpected, mis-shaped or not finite.
    ///
    /// # Panics
    ///
    /// The key map in the head's crate is not bijective, which a test holds.
    pub(super) fn load(&self, device: &Device) -> Result<Dense, TaskError> {
        let keys = KeyMap::parse(DENSE_KEYS).expect("the key map is bijective, which a test holds");
        let dense = self.config.init(device);
        Ok(load(dense, &self.checkpoint, &keys, &LoadOptions::default())?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_map_is_bijective_and_names_the_bias() {
        let keys = KeyMap::parse(DENSE_KEYS).unwrap();
        assert_eq!(
            keys.checkpoint_name("linear.bias").as_deref(),
            Some("linear.bias")
        );
    }
}
