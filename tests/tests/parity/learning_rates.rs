//! Learning rates of parts: each part moves as it does when the whole model learns at that part's rate.

use bert_doctor::classifier::{self, Batch, batch_loss, classifier_keys};
use bert_testing::named::{Named, parameters};
use bert_testing::{Golden, TestDevice, assert_equal_bits, on_every_device};
use bert_train::{AdamW, PartRates, Stepper};

on_every_device!(every_part_learns_at_its_own_rate);

const RATE: f64 = 1e-2;
const RATES: PartRates = PartRates {
    head: 4.0,
    layer_decay: 0.5,
    layers: 2,
};

fn every_part_learns_at_its_own_rate(device: &TestDevice) -> anyhow::Result<()> {
    let found = after_a_step(device, RATE, RATES)?;
    for (factor, parts) in [
        (4.0, ["classifier.", "bert.pooler."]),
        (0.5, ["bert.encoder.layer.1."; 2]),
        (0.25, ["bert.encoder.layer.0."; 2]),
        (0.125, ["bert.embeddings."; 2]),
    ] {
        let expected = after_a_step(device, RATE * factor, PartRates::UNIFORM)?;
        let is_of_part = |name: &&String| parts.iter().any(|part| name.starts_with(part));
        let names: Vec<&String> = found.keys().filter(is_of_part).collect();
        assert!(!names.is_empty(), "{parts:?}");
        for name in names {
            assert_equal_bits(device, name, &found[name], &expected[name]);
        }
    }
    Ok(())
}

fn after_a_step(device: &TestDevice, rate: f64, rates: PartRates) -> anyhow::Result<Named> {
    let golden = Golden::open("single_label")?;
    let on = device.autodiff();
    let classifier = classifier::load_classifier(&golden.checkpoint()?, 0.0, &on)?;
    let batches = [(Batch::read(&golden, "", &on)?, 6.0)];
    let optimizer = AdamW::new(0.01).with_rates(rates);
    let mut stepper = Stepper::new(optimizer, Some(1.0), 0);
    let (classifier, _) = stepper.step(classifier, &batches, rate, &on, batch_loss)?;
    Ok(parameters(&classifier, &classifier_keys()?)?)
}
