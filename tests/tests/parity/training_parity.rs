//! Optimiser steps against transformers' `Trainer`: AdamW groups, schedule, clipping, accumulation, step by step.

use bert_testing::named::{has_vanishing_gradient, parameters};
use bert_testing::{
    Golden, Quantity, TestDevice, assert_close, assert_close_number, with_and_without_kernels,
};
use bert_tests::model::{self, classifier_keys};
use bert_tests::steps::{Batch, batch_loss};
use bert_train::{AdamW, Schedule, ScheduleShape, Stepper};
use burn::tensor::Device;

with_and_without_kernels!(
    twenty_steps,
    ten_steps_of_two_micro_batches_of_different_sizes,
);

fn twenty_steps(device: &TestDevice) -> anyhow::Result<()> {
    check_run(device, "adamw_20_steps")
}

fn ten_steps_of_two_micro_batches_of_different_sizes(device: &TestDevice) -> anyhow::Result<()> {
    check_run(device, "adamw_accumulation")
}

fn check_run(device: &TestDevice, case: &str) -> anyhow::Result<()> {
    let golden = Golden::open(case)?;
    assert_eq!(golden.number("/settings/betas/0")?, 0.9);
    assert_eq!(golden.number("/settings/betas/1")?, 0.999);
    assert_eq!(golden.number("/settings/epsilon")?, 1e-8);
    let schedule = Schedule {
        shape: ScheduleShape::Linear,
        peak: golden.number("/settings/learning_rate")?,
        warmup_steps: golden.index("/settings/warmup_steps")?,
        total_steps: golden.index("/settings/total_steps")?,
    };
    let on = device.autodiff();
    let mut classifier = model::load_classifier(&golden.checkpoint()?, 0.0, &on)?;
    let optimizer = AdamW::new(golden.number("/settings/weight_decay")?);
    let mut stepper = Stepper::new(
        optimizer,
        Some(golden.number("/settings/max_gradient_norm")?),
        0,
    );
    for step in 0..schedule.total_steps {
        let batches = micro_batches(&golden, step, &on)?;
        let learning_rate = schedule.learning_rate(step);
        let outcome;
        (classifier, outcome) =
            stepper.step(classifier, &batches, learning_rate, &on, batch_loss)?;
        let expect = |quantity, key: &str, found: f64| -> anyhow::Result<()> {
            let expected = golden.number(&format!("/steps/{step}/{key}"))?;
            assert_close_number(
                device,
                quantity,
                &format!("{case} step {step}"),
                found,
                expected,
            );
            Ok(())
        };
        expect(Quantity::TrainingLoss, "loss", outcome.loss)?;
        expect(Quantity::GradientNorm, "gradient_norm", outcome.grad_norm)?;
        expect(Quantity::LearningRate, "learning_rate", learning_rate)?;
    }
    for (name, found) in parameters(&classifier, &classifier_keys()?)? {
        // AdamW divides a rounding-sized gradient by its own size: noise, on which no output depends.
        if !has_vanishing_gradient(&name) {
            let expected = golden.floats(&format!("final.{name}"))?;
            assert_close(
                device,
                Quantity::FinalParameter,
                &format!("{case}/{name}"),
                &found,
                &expected,
            );
        }
    }
    Ok(())
}

/// The batches of a step, each with the number of its labels.
fn micro_batches(
    golden: &Golden,
    step: usize,
    device: &Device,
) -> anyhow::Result<Vec<(Batch, f64)>> {
    let batch = |micro| {
        let batch = Batch::read(golden, &format!("step.{step:02}.micro.{micro}."), device)?;
        let labels = batch.labels.dims()[0];
        Ok((batch, labels as f64))
    };
    (0..golden.index("/settings/micro_batches_per_step")?)
        .map(batch)
        .collect()
}
