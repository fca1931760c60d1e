//! Models with the adapters of golden files.

use std::collections::HashMap;
use std::path::Path;

use bert_weights::{KeyMap, TensorInfo, read_tensors};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::model::classifier_keys;

/// What the names of PEFT's tensors begin with.
const PREFIX: &str = "base_model.model.";
/// The linear maps of BERT's layers, by their names in transformers and here.
const LINEARS: [[&str; 2]; 6] = [
    ["attention.self.query", "attention.query"],
    ["attention.self.key", "attention.key"],
    ["attention.self.value", "attention.value"],
    ["attention.output.dense", "attention_output"],
    ["intermediate.dense", "intermediate"],
    ["output.dense", "output"],
];
/// The parts of an adapter, in PEFT and here.
const PARTS: [[&str; 2]; 3] = [
    ["lora_A.weight", "down.weight"],
    ["lora_B.weight", "up.weight"],
    ["lora_magnitude_vector", "magnitude"],
];

/// The key map of a text classifier with adapters, by the names in PEFT's files.
///
/// # Errors
/// A map is malformed.
pub fn adapter_keys() -> anyhow::Result<KeyMap> {
    let mut text = String::new();
    for [module, path] in LINEARS {
        for [theirs, ours] in PARTS {
            text.push_str(&format!(
                "{PREFIX}bert.encoder.layer.{{n}}.{module}.{theirs} encoder.layers.{{n}}.PostNorm.{path}.low_rank.{ours}\n"
            ));
        }
    }
    let model = classifier_keys()?.with_prefix(PREFIX, "");
    Ok(model.join(KeyMap::parse(&text)?)?)
}

/// A model with the values of an adapter's file in the place of its own.
///
/// # Errors
/// The file cannot be read.
pub fn with_adapter_values<M: Module>(model: M, file: &Path, device: &Device) -> anyhow::Result<M> {
    let tensors = read_tensors(file)?.into_iter();
    let values = |tensor: TensorInfo| Ok((tensor.name.clone(), (tensor.floats()?, tensor.shape)));
    Ok(model.map(&mut Values {
        keys: adapter_keys()?,
        tensors: tensors.map(values).collect::<anyhow::Result<_>>()?,
        device: device.clone(),
        path: Vec::new(),
    }))
}

struct Values {
    keys: KeyMap,
    /// Values and shapes by name.
    tensors: HashMap<String, (Vec<f32>, Vec<usize>)>,
    device: Device,
    path: Vec<String>,
}

impl ModuleMapper for Values {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.keys.checkpoint_name(&self.path.join("."));
        let Some((values, shape)) = name.and_then(|name| self.tensors.remove(&name)) else {
            return param;
        };
        let data = TensorData::new(values, shape);
        let tensor: Tensor<D> = Tensor::from_data(data, &self.device);
        // Every matrix of an adapter's file is that of a linear map, which PyTorch keeps as [outputs, inputs].
        let tensor = if D == 2 {
            tensor.swap_dims(0, 1)
        } else {
            tensor
        };
        param.map(|old| tensor.set_require_grad(old.is_require_grad()))
    }
}
