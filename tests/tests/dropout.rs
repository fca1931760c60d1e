//! Dropout. A device's random numbers are global, so these tests have a process of their own and take turns.

use std::sync::{Mutex, PoisonError};

use bert_tests::steps::{Batch, batch_loss};
use bert_tests::{Golden, TestDevice, Values, assert_equal_bits, model, on_every_device};
use bert_train::{AdamW, Stepper};
use burn::module::Module;

static TURN: Mutex<()> = Mutex::new(());

on_every_device!(
    the_seed_decides_what_is_dropped,
    an_evaluated_model_drops_nothing,
);

fn the_seed_decides_what_is_dropped(device: &TestDevice) -> anyhow::Result<()> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let first = losses(device, 0.3, 7)?;
    assert_eq!(losses(device, 0.3, 7)?, first, "the same seed");
    assert_ne!(losses(device, 0.3, 8)?, first, "another seed");
    let without = losses(device, 0.0, 7)?;
    assert_ne!(without, first, "no dropout");
    assert_eq!(losses(device, 0.0, 8)?, without, "no dropout, another seed");
    Ok(())
}

/// The losses of three steps.
fn losses(device: &TestDevice, dropout: f64, seed: u64) -> anyhow::Result<Vec<f64>> {
    let golden = Golden::open("single_label")?;
    let on = device.autodiff();
    let mut classifier = model::load_classifier(&golden.checkpoint()?, dropout, &on)?;
    let batches = [(Batch::read(&golden, "", &on)?, 6)];
    let mut stepper = Stepper::new(AdamW::new(0.01), Some(1.0), seed);
    let mut losses = Vec::new();
    for _ in 0..3 {
        let outcome;
        (classifier, outcome) = stepper.step(classifier, &batches, 1e-3, &on, batch_loss)?;
        losses.push(outcome.loss);
    }
    Ok(losses)
}

fn an_evaluated_model_drops_nothing(device: &TestDevice) -> anyhow::Result<()> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let golden = Golden::open("single_label")?;
    let logits = |dropout| -> anyhow::Result<Values> {
        let trained = model::load_classifier(&golden.checkpoint()?, dropout, &device.autodiff())?;
        Ok(Values::of(
            trained.valid().forward(golden.input("", device.plain())?)?,
        ))
    };
    assert_equal_bits(device, "logits", &logits(0.5)?, &logits(0.0)?);
    Ok(())
}
