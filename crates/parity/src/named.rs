//! Parameters and gradients of a model by the names, and in the layout, of a checkpoint.

use std::collections::BTreeMap;

use bert_encoder::{EncoderPart, HeadKeys, ModelType};
use bert_weights::KeyMap;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::{ParityError, Values};

/// Values by checkpoint name.
pub type Named = BTreeMap<String, Values>;

/// The pooler of a model without a head.
const POOLER: HeadKeys = HeadKeys {
    map: "bert.pooler.dense.weight pooler.dense.weight\nbert.pooler.dense.bias pooler.dense.bias",
    parts: &[],
    tied: &[],
};

/// BERT's key map of an encoder alone.
///
/// # Errors
/// The map is malformed.
pub fn encoder_keys() -> Result<KeyMap, ParityError> {
    let family = ModelType::Bert.family();
    Ok(KeyMap::parse(family.keys)?.with_base_prefix(family.base_model_prefix))
}

/// BERT's key map of [`PooledEncoder`](crate::model::PooledEncoder).
///
/// # Errors
/// A map is malformed.
pub fn pooled_keys() -> Result<KeyMap, ParityError> {
    model_keys(&POOLER)
}

/// BERT's key map of a model with a head, given the head's own.
///
/// # Errors
/// A map is malformed.
pub fn model_keys(head: &HeadKeys) -> Result<KeyMap, ParityError> {
    let prefix = ModelType::Bert.family().base_model_prefix;
    let encoder = encoder_keys()?.with_prefix(prefix, EncoderPart::FIELD);
    Ok(encoder.join(KeyMap::parse(head.map)?)?)
}

/// Whether a parameter is the bias of an attention key: softmax ignores it, so its gradient is nothing but rounding.
pub fn has_vanishing_gradient(name: &str) -> bool {
    let endings = [
        "attention.self.key.bias",
        "attention.key.bias",
        "attention.k_lin.bias",
        "attention.attn.k.bias",
        "attention.self.pos_key_proj.bias",
    ];
    endings.iter().any(|ending| name.ends_with(ending))
}

/// Every parameter.
///
/// # Errors
/// The key map lacks one.
pub fn parameters<M: Module>(model: &M, keys: &KeyMap) -> Result<Named, ParityError> {
    visit(model, keys, None)
}

/// The gradient of every parameter that has one.
///
/// # Errors
/// The key map lacks a parameter.
pub fn gradients<M: Module>(
    model: &M,
    gradients: &GradientsParams,
    keys: &KeyMap,
) -> Result<Named, ParityError> {
    visit(model, keys, Some(gradients))
}

fn visit<M: Module>(
    model: &M,
    keys: &KeyMap,
    gradients: Option<&GradientsParams>,
) -> Result<Named, ParityError> {
    let mut collector = Collector {
        gradients,
        path: Vec::new(),
        collected: Vec::new(),
    };
    model.visit(&mut collector);
    let named = |(path, values): (String, Values)| {
        let name = keys.checkpoint_name(&path);
        Ok((name.ok_or(ParityError::NoName { path })?, values))
    };
    collector.collected.into_iter().map(named).collect()
}

struct Collector<'a> {
    /// `None` collects the parameters themselves.
    gradients: Option<&'a GradientsParams>,
    /// Names, each with the type of the container it is in.
    path: Vec<(String, String)>,
    collected: Vec<(String, Values)>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.push((name.to_owned(), container_type.to_owned()));
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = match self.gradients {
            None => Some(param.val()),
            Some(gradients) => gradients.get::<D>(param.id),
        };
        let Some(tensor) = tensor else { return };
        // PyTorch keeps the matrix of a linear layer as [outputs, inputs], Burn as [inputs, outputs].
        let is_linear = self
            .path
            .last()
            .is_some_and(|(_, container)| container == "Struct:Linear");
        let tensor = if is_linear && D == 2 {
            tensor.swap_dims(0, 1)
        } else {
            tensor
        };
        let names: Vec<&str> = self.path.iter().map(|(name, _)| name.as_str()).collect();
        self.collected.push((names.join("."), Values::of(tensor)));
    }
}
