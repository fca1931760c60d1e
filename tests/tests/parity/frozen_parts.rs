//! What `--tune` leaves out stays bit for bit what it was; what it names is trained.

use bert_testing::named::{has_vanishing_gradient, parameters};
use bert_testing::{Golden, TestDevice, assert_equal_bits, with_and_without_kernels};
use bert_tests::model::{self, classifier_keys};
use bert_tests::steps::{Batch, batch_loss};
use bert_train::{AdamW, Stepper, Tune};

with_and_without_kernels!(
    the_head_alone_is_trained,
    the_last_layer_is_trained_with_the_head,
    the_biases_are_trained_with_the_head,
    everything_is_trained,
);

fn the_head_alone_is_trained(device: &TestDevice) -> anyhow::Result<()> {
    check(device, Tune::Head, &["classifier.", "bert.pooler."])
}

fn the_last_layer_is_trained_with_the_head(device: &TestDevice) -> anyhow::Result<()> {
    let trained = ["classifier.", "bert.pooler.", "bert.encoder.layer.1."];
    check(device, Tune::Last(1), &trained)
}

fn the_biases_are_trained_with_the_head(device: &TestDevice) -> anyhow::Result<()> {
    check_where(device, Tune::BitFit, |name| {
        let is_of_head = name.starts_with("classifier.") || name.starts_with("bert.pooler.");
        is_of_head || name.ends_with(".bias")
    })
}

fn everything_is_trained(device: &TestDevice) -> anyhow::Result<()> {
    check(device, Tune::All, &["classifier.", "bert."])
}

fn check(device: &TestDevice, tune: Tune, trained: &[&str]) -> anyhow::Result<()> {
    check_where(device, tune, |name| {
        trained.iter().any(|prefix| name.starts_with(prefix))
    })
}

fn check_where(
    device: &TestDevice,
    tune: Tune,
    is_trained: impl Fn(&str) -> bool,
) -> anyhow::Result<()> {
    let golden = Golden::open("single_label")?;
    let on = device.autodiff();
    let classifier = model::load_classifier(&golden.checkpoint()?, 0.0, &on)?;
    let keys = classifier_keys()?;
    let before = parameters(&classifier, &keys)?;
    let mut classifier = tune.apply(classifier, 2)?;
    let batches = [(Batch::read(&golden, "", &on)?, 6.0)];
    let mut stepper = Stepper::new(AdamW::new(0.01), Some(1.0), 0);
    for _ in 0..3 {
        (classifier, _) = stepper.step(classifier, &batches, 1e-2, &on, batch_loss)?;
    }
    let after = parameters(&classifier, &keys)?;
    assert_eq!(after.len(), before.len());
    for (name, before) in &before {
        match is_trained(name) {
            false => assert_equal_bits(device, name, &after[name], before),
            // How far rounding moves it is no property of the training.
            true if has_vanishing_gradient(name) => {}
            true => assert_ne!(
                after[name].bits(),
                before.bits(),
                "{name} has not been trained"
            ),
        }
    }
    Ok(())
}
