//! Every family of encoders with every head against transformers: hidden states, logits, loss, the gradient of every
//! parameter, ten optimiser steps.

use bert_encoder::{Encoder, EncoderConfig, ModelType, PaddedInput, Want};
use bert_parity::head::loss_and_gradients;
use bert_parity::model::ragged;
use bert_parity::{Golden, Quantity, Values};
use bert_tasks::{BatchLoss, TaskError, key_map};
use bert_text_classification::ModelForSequenceClassification;
use bert_train::{AdamW, Stepper};
use bert_weights::{Checkpoint, KeyMap, LoadOptions, load as load_model, read_config};
use burn::tensor::{Device, Tensor};

use crate::classifier::schedule;
use crate::heads::Model;
use crate::{Check, DoctorError};

/// Other configurations of a family.
const VARIANTS: [(&str, ModelType); 1] = [("modernbert-biases", ModelType::Modernbert)];
/// Settings of DeBERTa, each with one head.
const DEBERTAS: [&str; 4] = [
    "deberta-v2-xlarge",
    "deberta-v2-c2p",
    "deberta-v2-p2c",
    "deberta-v2-plain",
];
/// Real tokens of each row of the golden batches.
const LENGTHS: [usize; 3] = [7, 4, 2];
/// Labels of a batch of the cases with steps.
const LABELS: f64 = 5.0;

/// The names of the cases of a head, below `families`, each with its family. BERT has cases of its own; the others of
/// RoBERTa's kind differ from it in their names alone.
pub fn cases<M: Model>() -> Vec<(&'static str, ModelType)> {
    let is_covered = |model_type: &ModelType| {
        let is_robertas_kin = [ModelType::XlmRoberta, ModelType::Camembert].contains(model_type);
        *model_type == ModelType::Bert
            || is_robertas_kin && M::HEAD != ModelForSequenceClassification::HEAD
    };
    let all = ModelType::ALL.into_iter();
    let families = all.filter(|model_type| !is_covered(model_type));
    families
        .map(|model_type| (model_type.name(), model_type))
        .chain(VARIANTS)
        .collect()
}

/// The names of the cases of one head or another that have other settings of DeBERTa.
pub fn settings_of_deberta<M: Model>() -> Vec<(&'static str, ModelType)> {
    let names = match M::HEAD {
        "ForSequenceClassification" => DEBERTAS.to_vec(),
        "ForMaskedLM" => vec!["deberta-v2-lm-predictions"],
        _ => Vec::new(),
    };
    let case = |name| (name, ModelType::DebertaV2);
    names.into_iter().map(case).collect()
}

/// The golden case of a family and a head.
///
/// # Errors
/// A golden file is missing.
pub fn case<M: Model>(check: &Check, name: &str) -> Result<Golden, DoctorError> {
    check.golden(&format!("families/{name}/{}", M::HEAD))
}

/// The model of a case, its checkpoint and its key map.
///
/// # Errors
/// The checkpoint does not load.
pub fn load<M: Model>(
    golden: &Golden,
    device: &Device,
) -> Result<(M, Checkpoint, KeyMap), DoctorError> {
    let checkpoint = golden.checkpoint()?;
    let encoder: EncoderConfig = read_config(&checkpoint)?;
    let keys = key_map(encoder.model_type, &M::keys(&encoder)?);
    let stated = checkpoint.config().get("id2label");
    let labels = stated.and_then(|labels| Some(labels.as_object()?.len()));
    // transformers' default, which it leaves out of the file.
    let model = M::new(encoder, labels.unwrap_or(2), device)?;
    let (model, _) = load_model(model, &checkpoint, &keys, &LoadOptions::default())?;
    Ok((model, checkpoint, keys))
}

/// Computes a case: what it has of hidden states, logits, loss, gradients and steps.
///
/// # Errors
/// A golden file is missing, or the device fails.
pub fn check<M: Model>(check: &mut Check, golden: &Golden) -> Result<(), DoctorError> {
    let (model, _, keys) = load::<M>(golden, &check.on)?;
    let input = golden.input("", &check.on)?;
    let states = golden.names_under("hidden_states.")?.len();
    if states > 0 {
        hidden_states(check, golden, model.encoder(), &input, states)?;
    }
    for (name, found) in model.logits(input.clone().into())? {
        check.against(Quantity::Output, golden, name, &found)?;
    }
    let loss = model.loss(input.into(), &M::labels(golden, &check.on)?)?;
    loss_and_gradients(&mut check.comparisons, golden, &model, loss, &keys)?;
    if golden.scalar("/steps").is_ok() {
        steps(check, golden, model)?;
    }
    Ok(())
}

/// Every hidden state of the padded batch, and the last one of the same sequences without padding.
fn hidden_states(
    check: &mut Check,
    golden: &Golden,
    encoder: &Encoder,
    input: &PaddedInput,
    count: usize,
) -> Result<(), DoctorError> {
    let want = Want {
        hidden_states: true,
        attentions: false,
    };
    let output = encoder.forward_with(input.clone().into(), want)?;
    let is_count = output.hidden_states.len() == count;
    check
        .comparisons
        .holds(golden.case(), is_count, "the number of hidden states");
    for (index, state) in output.hidden_states.into_iter().enumerate() {
        let name = format!("hidden_states.{index}");
        check.against(Quantity::Output, golden, &name, &Values::of(state))?;
    }
    let packed = encoder.forward(ragged(input, &LENGTHS).into())?;
    for (row, length) in LENGTHS.into_iter().enumerate() {
        let real = |hidden: Tensor<3>| {
            let row = hidden.narrow(0, row, 1).narrow(1, 0, length);
            Values::of(row)
        };
        let name = format!("{} row {row} without padding", golden.case());
        let found = real(packed.last_hidden_state.clone());
        let expected = real(output.last_hidden_state.clone());
        check
            .comparisons
            .values(Quantity::Output, &name, &found, &expected);
    }
    Ok(())
}

fn steps<M: Model>(check: &mut Check, golden: &Golden, mut model: M) -> Result<(), DoctorError> {
    let schedule = schedule(golden)?;
    let optimizer = AdamW::new(golden.number("/settings/weight_decay")?);
    let max_norm = golden.number("/settings/max_gradient_norm")?;
    let mut stepper = Stepper::new(optimizer, Some(max_norm), 0);
    let on = check.on.clone();
    let batches = [(golden.input("", &on)?, LABELS)];
    let labels = M::labels(golden, &on)?;
    for step in 0..schedule.total_steps {
        let batch_loss = |model: &M, input: &PaddedInput| {
            let [rows, columns] = input.input_ids.dims();
            Ok::<_, TaskError>(BatchLoss {
                loss: model.loss(input.clone().into(), &labels)?,
                tokens: rows * columns,
            })
        };
        let rate = schedule.learning_rate(step);
        let outcome;
        (model, outcome) = stepper.step(model, &batches, rate, &on, batch_loss)?;
        for (quantity, figure, found) in [
            (Quantity::TrainingLoss, "loss", outcome.loss),
            (Quantity::GradientNorm, "gradient_norm", outcome.grad_norm),
        ] {
            check.step(quantity, golden, step, figure, found)?;
        }
    }
    Ok(())
}
