//! What goes wrong in a step is an error that says what, on every backend.

use bert_doctor::classifier::{self, Batch, batch_loss};
use bert_tasks::{BatchLoss, TaskError};
use bert_testing::{Golden, TestDevice, on_every_device};
use bert_text_classification::{Labels, ModelForSequenceClassification, loss};
use bert_train::{AdamW, Stepper, TrainError};

on_every_device!(
    a_parameter_that_gets_no_gradient,
    a_loss_that_is_not_a_number,
);

fn a_parameter_that_gets_no_gradient(device: &TestDevice) -> anyhow::Result<()> {
    let without_pooler =
        |model: &ModelForSequenceClassification, batch: &Batch| -> Result<BatchLoss, TaskError> {
            let output = model.encoder.forward(batch.input.clone())?;
            let first = output.last_hidden_state.narrow(1, 0, 1).squeeze_dim::<2>(1);
            let logits = model.classifier.forward(first);
            Ok(BatchLoss {
                loss: loss(logits, Labels::Classes(batch.labels.clone())),
                tokens: 1,
            })
        };
    let error = first_step(device, without_pooler)?;
    let TrainError::NoGradient { names } = &error else {
        panic!("{error}");
    };
    assert_eq!(*names, ["pooler.dense.weight", "pooler.dense.bias"]);
    assert!(error.to_string().contains("pooler.dense.weight"), "{error}");
    Ok(())
}

fn a_loss_that_is_not_a_number(device: &TestDevice) -> anyhow::Result<()> {
    let not_a_number =
        |model: &ModelForSequenceClassification, batch: &Batch| -> Result<BatchLoss, TaskError> {
            let BatchLoss { loss, tokens } = batch_loss(model, batch)?;
            Ok(BatchLoss {
                loss: loss * f32::NAN,
                tokens,
            })
        };
    let error = first_step(device, not_a_number)?;
    let TrainError::NonFinite { quantity, step, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((quantity, step), ("loss", 1));
    Ok(())
}

/// The error of the first optimiser step with this loss.
fn first_step(
    device: &TestDevice,
    loss: impl Fn(&ModelForSequenceClassification, &Batch) -> Result<BatchLoss, TaskError>,
) -> anyhow::Result<TrainError> {
    let golden = Golden::open("single_label")?;
    let on = device.autodiff();
    let classifier = classifier::load_classifier(&golden.checkpoint()?, 0.0, &on)?;
    let batches = [(Batch::read(&golden, "", &on)?, 6.0)];
    let mut stepper = Stepper::new(AdamW::new(0.01), Some(1.0), 0);
    match stepper.step(classifier, &batches, 1e-3, &on, loss) {
        Ok((_, outcome)) => anyhow::bail!("the step went through: {outcome:?}"),
        Err(error) => Ok(error),
    }
}
