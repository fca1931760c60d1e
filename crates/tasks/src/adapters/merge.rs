//! Merging an adapter into the weights of a loaded model.

use std::collections::BTreeMap;

use bert_kernels::{LowRankWeights, merged_weight};
use bert_weights::{KeyMap, TensorInfo};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::Adapter;
use crate::TaskError;

/// The tensors of the adapter of one linear layer.
#[derive(Default)]
struct Parts<'a> {
    /// `[R, K]` in the file.
    down: Option<&'a TensorInfo>,
    /// `[N, R]` in the file.
    up: Option<&'a TensorInfo>,
    /// `[N]`.
    magnitude: Option<&'a TensorInfo>,
}

/// A part of the adapter of one map.
enum Part {
    Down,
    Up,
    Magnitude,
}

impl Adapter {
    /// The model with the adapter merged into its weights, as PEFT's `merge_and_unload` leaves it.
    ///
    /// # Errors
    ///
    /// The adapter has a tensor that the model has no map for, or of another shape.
    pub(crate) fn merge<M: Module>(&self, model: M, keys: &KeyMap) -> Result<M, TaskError> {
        let mut merge = Merge {
            adapter: self,
            by_path: BTreeMap::new(),
            path: Vec::new(),
            failed: None,
        };
        let mut strangers = Vec::new();
        for (module, parts) in self.parts()? {
            match weight_path(&module, keys) {
                Some(path) => drop(merge.by_path.insert(path, (module, parts))),
                None => strangers.push(module),
            }
        }
        let model = model.map(&mut merge);
        if let Some(error) = merge.failed {
            return Err(error);
        }
        strangers.extend(merge.by_path.into_values().map(|(module, _)| module));
        match strangers.is_empty() {
            true => Ok(model),
            false => Err(self.unfit(format!(
                "the model has no linear layer {}",
                strangers.join(", ")
            ))),
        }
    }

    /// The tensors by the name of their map in transformers.
    fn parts(&self) -> Result<BTreeMap<String, Parts<'_>>, TaskError> {
        let mut all: BTreeMap<String, Parts<'_>> = BTreeMap::new();
        for tensor in &self.low_rank {
            let Some((module, part)) = part_of(&tensor.name) else {
                return Err(self.unfit(format!(
                    "the tensor `{}` is no part of a LoRA or DoRA of a linear layer",
                    tensor.name
                )));
            };
            let parts = all.entry(module.to_owned()).or_default();
            match part {
                Part::Down => parts.down = Some(tensor),
                Part::Up => parts.up = Some(tensor),
                Part::Magnitude => parts.magnitude = Some(tensor),
            }
        }
        Ok(all)
    }

    /// The adapter of a layer from K to N, on a device.
    fn low_rank(
        &self,
        module: &str,
        parts: &Parts<'_>,
        [inputs, outputs]: [usize; 2],
        device: &Device,
    ) -> Result<LowRankWeights, TaskError> {
        let missing = |what: &str| self.unfit(format!("`{module}` has no `{what}`"));
        let down = parts.down.ok_or_else(|| missing("lora_A"))?;
        let up = parts.up.ok_or_else(|| missing("lora_B"))?;
        let rank = down.shape.first().copied().unwrap_or_default();
        if rank == 0 {
            return Err(self.unfit(format!("the tensor `{}` has rank 0", down.name)));
        }
        let expect = |tensor: &TensorInfo, shape: &[usize]| {
            match tensor.shape == shape {
            true => Ok(()),
            false => Err(self.unfit(format!(
                "the tensor `{}` has the shape {:?}, and the layer from {inputs} to {outputs} takes {shape:?}",
                tensor.name, tensor.shape
            ))),
        }
        };
        expect(down, &[rank, inputs])?;
        expect(up, &[outputs, rank])?;
        let magnitude = match parts.magnitude {
            Some(tensor) => {
                expect(tensor, &[outputs])?;
                Some(self.values(tensor, [outputs], device)?)
            }
            None if self.config.use_dora => return Err(missing("lora_magnitude_vector")),
            None => None,
        };
        Ok(LowRankWeights {
            down: self.values(down, [rank, inputs], device)?.transpose(),
            up: self.values(up, [outputs, rank], device)?.transpose(),
            scale: self.config.scale(module, rank),
            magnitude,
            dropout: 0.0,
        })
    }

    fn values<const D: usize>(
        &self,
        tensor: &TensorInfo,
        shape: [usize; D],
        device: &Device,
    ) -> Result<Tensor<D>, TaskError> {
        let floats = tensor.floats()?;
        if let Some(at) = floats.iter().position(|value| !value.is_finite()) {
            return Err(self.unfit(format!(
                "the tensor `{}` holds {} (element {at}); expected finite numbers",
                tensor.name, floats[at]
            )));
        }
        Ok(Tensor::from_data(TensorData::new(floats, shape), device))
    }
}

/// The layer and the part of its adapter that a tensor of this name is, such as `….query.lora_A.weight`. The name of the adapter
/// may stand before `weight`.
fn part_of(name: &str) -> Option<(&str, Part)> {
    if let Some((module, rest)) = name.split_once(".lora_magnitude_vector") {
        let is_whole = rest.is_empty() || rest.ends_with(".weight");
        return is_whole.then_some((module, Part::Magnitude));
    }
    let (module, part, rest) = match name.split_once(".lora_A.") {
        Some((module, rest)) => (module, Part::Down, rest),
        None => {
            let (module, rest) = name.split_once(".lora_B.")?;
            (module, Part::Up, rest)
        }
    };
    (rest == "weight" || rest.ends_with(".weight")).then_some((module, part))
}

/// The module path of a map's weight. The base-model prefix may be present or absent in `module`.
fn weight_path(module: &str, keys: &KeyMap) -> Option<String> {
    let name = format!("{module}.weight");
    let prefixed = format!("{}{name}", keys.base_prefix());
    keys.module_path(&name)
        .or_else(|| keys.module_path(&prefixed))
}

struct Merge<'a> {
    adapter: &'a Adapter,
    /// The adapters that are not merged yet, by the paths of the weights.
    by_path: BTreeMap<String, (String, Parts<'a>)>,
    path: Vec<String>,
    failed: Option<TaskError>,
}

impl Merge<'_> {
    fn merged<const D: usize>(
        &self,
        weight: &Tensor<D>,
        (module, parts): &(String, Parts<'_>),
    ) -> Result<Tensor<D>, TaskError> {
        let shape = weight.shape();
        let Ok(sizes) = <[usize; 2]>::try_from(shape.to_vec()) else {
            let reason = format!("`{module}` is no linear layer");
            return Err(self.adapter.unfit(reason));
        };
        let device = weight.device();
        let low_rank = self.adapter.low_rank(module, parts, sizes, &device)?;
        let plain = weight.clone().detach().reshape(sizes);
        Ok(merged_weight(plain, &low_rank).reshape(shape).detach())
    }
}

impl ModuleMapper for Merge<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(found) = self.by_path.remove(&self.path.join(".")) else {
            return param;
        };
        match self.merged(&param.val(), &found) {
            Ok(merged) => param.map(|old| merged.set_require_grad(old.is_require_grad())),
            Err(error) => {
                self.failed.get_or_insert(error);
                param
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_known_with_and_without_the_name_of_an_adapter() {
        for name in ["a.query.lora_A.weight", "a.query.lora_A.default.weight"] {
            assert!(matches!(part_of(name), Some(("a.query", Part::Down))));
        }
        let magnitude = part_of("a.query.lora_magnitude_vector");
        assert!(matches!(magnitude, Some(("a.query", Part::Magnitude))));
        for name in ["a.lora_embedding_A", "a.lora_B.bias", "a.lora_E"] {
            assert!(part_of(name).is_none(), "{name}");
        }
    }
}
