//! Training in bfloat16 against transformers under `torch.autocast`. Both round, in different places, so they agree within the
//! error of the format.

use bert_encoder::Precision;
use bert_testing::named::{gradients, has_vanishing_gradient};
use bert_testing::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_close_number, where_kernels_are,
};
use bert_tests::model::{self, classifier_keys};
use bert_tests::steps::{Batch, batch_loss};
use bert_train::{AdamW, Schedule, ScheduleShape, Stepper};
use burn::optim::GradientsParams;

where_kernels_are!(
    logits_loss_and_gradients_are_those_of_autocast,
    twenty_steps_are_those_of_autocast,
);

const CASE: &str = "autocast";

fn logits_loss_and_gradients_are_those_of_autocast(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open(CASE)?;
    let on = device.autodiff();
    let mut classifier = model::load_classifier(&golden.checkpoint()?, 0.0, &on)?;
    let batch = Batch::read(&golden, "step.00.micro.0.", &on)?;
    let single = Values::of(classifier.forward(batch.input.clone())?);
    classifier.encoder.set_precision(Precision::Bf16);
    let logits = Values::of(classifier.forward(batch.input.clone())?);
    assert_ne!(single.bits(), logits.bits(), "something is rounded");
    let expected = golden.floats("logits")?;
    assert_close(device, Quantity::Bf16Output, "logits", &logits, &expected);

    let loss = batch_loss(&classifier, &batch)?.loss;
    let found = f64::from(loss.clone().into_scalar::<f32>());
    assert_close_number(
        device,
        Quantity::Bf16Loss,
        "loss",
        found,
        golden.number("/loss")?,
    );
    let found = GradientsParams::from_grads(loss.backward(), &classifier);
    for (name, found) in gradients(&classifier, &found, &classifier_keys()?)? {
        if !has_vanishing_gradient(&name) {
            let expected = golden.floats(&format!("gradients.{name}"))?;
            assert_close(device, Quantity::Bf16Gradient, &name, &found, &expected);
        }
    }
    Ok(())
}

fn twenty_steps_are_those_of_autocast(device: &TestDevice) -> anyhow::Result<()> {
    let golden = Golden::open(CASE)?;
    let schedule = Schedule {
        shape: ScheduleShape::Linear,
        peak: golden.number("/settings/learning_rate")?,
        warmup_steps: golden.index("/settings/warmup_steps")?,
        total_steps: golden.index("/settings/total_steps")?,
    };
    let on = device.autodiff();
    let mut classifier = model::load_classifier(&golden.checkpoint()?, 0.0, &on)?;
    classifier.encoder.set_precision(Precision::Bf16);
    let optimizer = AdamW::new(golden.number("/settings/weight_decay")?);
    let clip = golden.number("/settings/max_gradient_norm")?;
    let mut stepper = Stepper::new(optimizer, Some(clip), 0);
    for step in 0..schedule.total_steps {
        let batch = Batch::read(&golden, &format!("step.{step:02}.micro.0."), &on)?;
        let labels = batch.labels.dims()[0] as f64;
        let rate = schedule.learning_rate(step);
        let outcome;
        (classifier, outcome) =
            stepper.step(classifier, &[(batch, labels)], rate, &on, batch_loss)?;
        for (quantity, key, found) in [
            (Quantity::Bf16Loss, "loss", outcome.loss),
            (
                Quantity::Bf16GradientNorm,
                "gradient_norm",
                outcome.grad_norm,
            ),
        ] {
            let expected = golden.number(&format!("/steps/{step}/{key}"))?;
            let what = format!("{key} of step {step}");
            assert_close_number(device, quantity, &what, found, expected);
        }
    }
    Ok(())
}
