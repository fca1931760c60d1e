//! Optimiser steps against transformers' `Trainer`: AdamW groups, schedule, clipping, accumulation, step by step.

use bert_parity::named::{has_vanishing_gradient, parameters};
use bert_parity::{Golden, Quantity};
use bert_train::{AdamW, Stepper};
use burn::tensor::Device;

use crate::classifier::{Batch, batch_loss, classifier_keys, load_classifier, schedule};
use crate::{Check, DoctorError};

/// The cases: twenty steps, and ten steps of two micro-batches of different sizes.
pub const CASES: [&str; 2] = ["adamw_20_steps", "adamw_accumulation"];

/// Computes a case.
///
/// # Errors
/// A golden file is missing, or a step fails.
pub fn check(check: &mut Check, case: &str) -> Result<(), DoctorError> {
    let golden = check.golden(case)?;
    for (pointer, ours) in [
        ("/settings/betas/0", 0.9),
        ("/settings/betas/1", 0.999),
        ("/settings/epsilon", 1e-8),
    ] {
        let is_ours = golden.number(pointer)? == ours;
        check.comparisons.holds(case, is_ours, pointer);
    }
    let schedule = schedule(&golden)?;
    let on = check.on.clone();
    let mut classifier = load_classifier(&golden.checkpoint()?, 0.0, &on)?;
    let optimizer = AdamW::new(golden.number("/settings/weight_decay")?);
    let max_norm = golden.number("/settings/max_gradient_norm")?;
    let mut stepper = Stepper::new(optimizer, Some(max_norm), 0);
    for step in 0..schedule.total_steps {
        let batches = micro_batches(&golden, step, &on)?;
        let rate = schedule.learning_rate(step);
        let outcome;
        (classifier, outcome) = stepper.step(classifier, &batches, rate, &on, batch_loss)?;
        for (quantity, figure, found) in [
            (Quantity::TrainingLoss, "loss", outcome.loss),
            (Quantity::GradientNorm, "gradient_norm", outcome.grad_norm),
            (Quantity::LearningRate, "learning_rate", rate),
        ] {
            check.step(quantity, &golden, step, figure, found)?;
        }
    }
    for (name, found) in parameters(&classifier, &classifier_keys()?)? {
        // AdamW divides a rounding-sized gradient by its own size: noise, on which no output depends.
        if !has_vanishing_gradient(&name) {
            let tensor = format!("final.{name}");
            check.against(Quantity::FinalParameter, &golden, &tensor, &found)?;
        }
    }
    Ok(())
}

/// The batches of a step, each with the number of its labels.
fn micro_batches(
    golden: &Golden,
    step: usize,
    device: &Device,
) -> Result<Vec<(Batch, f64)>, DoctorError> {
    let batch = |micro| {
        let batch = Batch::read(golden, &format!("step.{step:02}.micro.{micro}."), device)?;
        let labels = batch.labels.dims()[0];
        Ok((batch, labels as f64))
    };
    (0..golden.index("/settings/micro_batches_per_step")?)
        .map(batch)
        .collect()
}
