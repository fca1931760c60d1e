//! Training in bfloat16 against transformers under `torch.autocast`. Both round, in different places, so they agree within the
//! error of the format.

use bert_encoder::Precision;
use bert_parity::named::{gradients, has_vanishing_gradient};
use bert_parity::{Quantity, Values};
use bert_train::{AdamW, Stepper};
use burn::optim::GradientsParams;

use crate::classifier::{Batch, batch_loss, classifier_keys, load_classifier, schedule};
use crate::{Check, DoctorError};

const CASE: &str = "autocast";

/// Logits, loss and gradients of one pass.
///
/// # Errors
/// A golden file is missing, or the device fails.
pub fn one_pass(check: &mut Check) -> Result<(), DoctorError> {
    let golden = check.golden(CASE)?;
    let on = check.on.clone();
    let mut classifier = load_classifier(&golden.checkpoint()?, 0.0, &on)?;
    let batch = Batch::read(&golden, "step.00.micro.0.", &on)?;
    let single = Values::of(classifier.forward(batch.input.clone())?);
    classifier.encoder.set_precision(Precision::Bf16);
    let logits = Values::of(classifier.forward(batch.input.clone())?);
    let is_rounded = single.bits() != logits.bits();
    check
        .comparisons
        .holds(CASE, is_rounded, "something is rounded");
    check.against(Quantity::Bf16Output, &golden, "logits", &logits)?;

    let loss = batch_loss(&classifier, &batch)?.loss;
    let found = f64::from(loss.clone().into_scalar::<f32>());
    let expected = golden.number("/loss")?;
    check
        .comparisons
        .number(Quantity::Bf16Loss, "autocast loss", found, expected);
    let of_loss = GradientsParams::from_grads(loss.backward(), &classifier);
    for (name, found) in gradients(&classifier, &of_loss, &classifier_keys()?)? {
        if !has_vanishing_gradient(&name) {
            let found = check.comparisons.gradient(&name, found);
            let tensor = format!("gradients.{name}");
            check.against(Quantity::Bf16Gradient, &golden, &tensor, &found)?;
        }
    }
    Ok(())
}

/// Twenty optimiser steps.
///
/// # Errors
/// A golden file is missing, or a step fails.
pub fn twenty_steps(check: &mut Check) -> Result<(), DoctorError> {
    let golden = check.golden(CASE)?;
    let schedule = schedule(&golden)?;
    let on = check.on.clone();
    let mut classifier = load_classifier(&golden.checkpoint()?, 0.0, &on)?;
    classifier.encoder.set_precision(Precision::Bf16);
    let optimizer = AdamW::new(golden.number("/settings/weight_decay")?);
    let max_norm = golden.number("/settings/max_gradient_norm")?;
    let mut stepper = Stepper::new(optimizer, Some(max_norm), 0);
    for step in 0..schedule.total_steps {
        let batch = Batch::read(&golden, &format!("step.{step:02}.micro.0."), &on)?;
        let labels = batch.labels.dims()[0] as f64;
        let rate = schedule.learning_rate(step);
        let outcome;
        (classifier, outcome) =
            stepper.step(classifier, &[(batch, labels)], rate, &on, batch_loss)?;
        for (quantity, figure, found) in [
            (Quantity::Bf16Loss, "loss", outcome.loss),
            (
                Quantity::Bf16GradientNorm,
                "gradient_norm",
                outcome.grad_norm,
            ),
        ] {
            check.step(quantity, &golden, step, figure, found)?;
        }
    }
    Ok(())
}
