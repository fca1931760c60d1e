//! LoRA and DoRA against PEFT: logits, loss, the gradients of what is trained, and optimiser steps.

use std::collections::HashMap;
use std::path::Path;

use bert_encoder::{LowRankConfig, ModelType};
use bert_parity::named::{Named, gradients, parameters};
use bert_parity::{Golden, Quantity, Values};
use bert_tasks::adapters::{LoraOptions, LoraTargets, adapt};
use bert_text_classification::ModelForSequenceClassification;
use bert_train::{AdamW, Stepper, Tune};
use bert_weights::{CheckpointError, KeyMap, TensorInfo, read_tensors};
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use crate::classifier::{Batch, batch_loss, classifier_keys, load_classifier};
use crate::{Check, DoctorError};

/// The cases, by the names of their adapters.
pub const CASES: [&str; 2] = ["lora", "dora"];
/// What the names of PEFT's tensors begin with.
const PREFIX: &str = "base_model.model.";
/// The linear layers of BERT's layers, by their names in transformers and here.
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

/// Computes a case.
///
/// # Errors
/// A golden file is missing, or a step fails.
pub fn check(check: &mut Check, case: &str) -> Result<(), DoctorError> {
    let golden = check.golden(case)?;
    let on = check.on.clone();
    let model = adapted(&golden, case, &on)?;
    let batch = Batch::read(&golden, "", &on)?;
    let logits = Values::of(model.forward(batch.input.clone())?);
    check.against(Quantity::Output, &golden, "logits", &logits)?;

    let loss = batch_loss(&model, &batch)?.loss;
    let of_loss = GradientsParams::from_grads(loss.backward(), &model);
    let found = gradients(&model, &of_loss, &adapter_keys()?)?;
    let mut expected = golden.names_under("gradients.")?;
    expected.sort();
    let are_those = found.keys().eq(expected.iter());
    check
        .comparisons
        .holds(case, are_those, "what is trained has a gradient");
    let found = found.into_iter().map(|(name, found)| {
        let found = check.comparisons.gradient(&name, found);
        (name, found)
    });
    let found: Named = found.collect();
    against(check, Quantity::Gradient, &golden, "gradients.", &found)?;
    steps(check, &golden, model, batch)
}

fn options(case: &str) -> LoraOptions {
    let targets = ["query", "value", "intermediate.dense", "output.dense"];
    LoraOptions {
        config: LowRankConfig {
            rank: 3,
            alpha: 5.0,
            dropout: 0.0,
            use_dora: case == "dora",
            use_rslora: case == "dora",
        },
        targets: LoraTargets::Named(targets.map(str::to_owned).into()),
    }
}

/// The golden model with the golden adapter.
fn adapted(
    golden: &Golden,
    case: &str,
    on: &Device,
) -> Result<ModelForSequenceClassification, DoctorError> {
    let mut model = load_classifier(&golden.checkpoint()?, 0.0, on)?;
    let options = options(case);
    adapt(&mut model.encoder, ModelType::Bert, &options, on)?;
    let file = golden.path().join("adapter/adapter_model.safetensors");
    let model = with_adapter_values(model, &file, on)?;
    Ok(Tune::Lora(options).apply(model, 2)?)
}

fn steps(
    check: &mut Check,
    golden: &Golden,
    mut model: ModelForSequenceClassification,
    batch: Batch,
) -> Result<(), DoctorError> {
    let on = check.on.clone();
    let optimizer = AdamW::new(golden.number("/settings/weight_decay")?);
    let max_norm = golden.number("/settings/max_gradient_norm")?;
    let mut stepper = Stepper::new(optimizer, Some(max_norm), 0);
    let rate = golden.number("/settings/learning_rate")?;
    let batches = [(batch, 6.0)];
    for step in 0..golden.index("/settings/steps")? {
        let outcome;
        (model, outcome) = stepper.step(model, &batches, rate, &on, batch_loss)?;
        for (quantity, figure, found) in [
            (Quantity::TrainingLoss, "loss", outcome.loss),
            (Quantity::GradientNorm, "gradient_norm", outcome.grad_norm),
        ] {
            check.step(quantity, golden, step, figure, found)?;
        }
    }
    let found = parameters(&model, &adapter_keys()?)?;
    against(check, Quantity::FinalParameter, golden, "final.", &found)
}

/// Holds everything under a prefix of a case against what was found by its name.
fn against(
    check: &mut Check,
    quantity: Quantity,
    golden: &Golden,
    prefix: &str,
    found: &Named,
) -> Result<(), DoctorError> {
    for name in golden.names_under(prefix)? {
        match found.get(&name) {
            Some(found) => check.against(quantity, golden, &format!("{prefix}{name}"), found)?,
            None => check.comparisons.holds(&name, false, "is missing"),
        }
    }
    Ok(())
}

/// The key map of a text classifier with adapters, by the names in PEFT's files.
///
/// # Errors
/// A map is malformed.
pub fn adapter_keys() -> Result<KeyMap, DoctorError> {
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
pub fn with_adapter_values<M: Module>(
    model: M,
    file: &Path,
    device: &Device,
) -> Result<M, DoctorError> {
    let tensors = read_tensors(file)?.into_iter();
    let values = |tensor: TensorInfo| Ok((tensor.name.clone(), (tensor.floats()?, tensor.shape)));
    Ok(model.map(&mut AdapterValues {
        keys: adapter_keys()?,
        tensors: tensors
            .map(values)
            .collect::<Result<_, CheckpointError>>()?,
        device: device.clone(),
        path: Vec::new(),
    }))
}

struct AdapterValues {
    keys: KeyMap,
    /// Values and shapes by name.
    tensors: HashMap<String, (Vec<f32>, Vec<usize>)>,
    device: Device,
    path: Vec<String>,
}

impl ModuleMapper for AdapterValues {
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
        // Every matrix of an adapter's file is that of a linear layer, which PyTorch keeps as [outputs, inputs].
        let tensor = if D == 2 {
            tensor.swap_dims(0, 1)
        } else {
            tensor
        };
        param.map(|old| tensor.set_require_grad(old.is_require_grad()))
    }
}
