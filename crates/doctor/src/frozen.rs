//! Where a part is trained: the backward pass for that part alone has the gradients of the whole, and steps write nothing else.

use bert_parity::head::named_gradients;
use bert_parity::named::{has_vanishing_gradient, parameters};
use bert_train::{AdamW, Stepper, Tune};

use crate::classifier::{Batch, batch_loss, classifier_keys, load_classifier};
use crate::{Check, DoctorError};

const CASE: &str = "single_label";
/// Layers of the golden encoder.
const LAYERS: usize = 2;

/// The parts of the golden classifier that can be trained.
pub fn parts() -> [Tune; 4] {
    [Tune::Head, Tune::Last(1), Tune::BitFit, Tune::All]
}

/// Whether a part has a parameter of the golden classifier.
fn is_trained(part: &Tune, name: &str) -> bool {
    let is_of_head = name.starts_with("classifier.") || name.starts_with("bert.pooler.");
    is_of_head
        || match part {
            Tune::Last(_) => name.starts_with("bert.encoder.layer.1."),
            Tune::BitFit => name.ends_with(".bias"),
            Tune::All => true,
            Tune::Head | Tune::Lora(_) => false,
        }
}

/// The gradients of a part are those of transformers, and nothing else has one.
///
/// # Errors
/// A golden file is missing, or the device fails.
pub fn gradients(check: &mut Check, part: &Tune) -> Result<(), DoctorError> {
    let golden = check.golden(CASE)?;
    let classifier = load_classifier(&golden.checkpoint()?, 0.0, &check.on)?;
    let classifier = part.apply(classifier, LAYERS)?;
    let batch = Batch::read(&golden, "", &check.on)?;
    let loss = batch_loss(&classifier, &batch)?.loss;
    let keys = classifier_keys()?;
    named_gradients(
        &mut check.comparisons,
        &golden,
        &classifier,
        loss,
        &keys,
        |name| is_trained(part, name),
    )?;
    Ok(())
}

/// Three steps change what is trained and leave everything else bit for bit what it was.
///
/// # Errors
/// A golden file is missing, or a step fails.
pub fn steps(check: &mut Check, part: &Tune) -> Result<(), DoctorError> {
    let golden = check.golden(CASE)?;
    let on = check.on.clone();
    let classifier = load_classifier(&golden.checkpoint()?, 0.0, &on)?;
    let keys = classifier_keys()?;
    let before = parameters(&classifier, &keys)?;
    let mut classifier = part.apply(classifier, LAYERS)?;
    let batches = [(Batch::read(&golden, "", &on)?, 6.0)];
    let mut stepper = Stepper::new(AdamW::new(0.01), Some(1.0), 0);
    for _ in 0..3 {
        (classifier, _) = stepper.step(classifier, &batches, 1e-2, &on, batch_loss)?;
    }
    let after = parameters(&classifier, &keys)?;
    let names = after.keys().eq(before.keys());
    check
        .comparisons
        .holds(CASE, names, "the parameters are the same");
    for (name, before) in &before {
        let is_same = after[name].bits() == before.bits();
        if !is_trained(part, name) {
            check
                .comparisons
                .holds(name, is_same, "is not trained, and has changed");
        // How far rounding moves a gradient that vanishes is no property of the training.
        } else if !has_vanishing_gradient(name) {
            check
                .comparisons
                .holds(name, !is_same, "is trained, and has not changed");
        }
    }
    Ok(())
}
