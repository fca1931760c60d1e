//! What goes wrong is an error that says what, on every backend.

use bert_encoder::{EncoderError, EncoderInput};
use bert_tasks::{BatchLoss, TaskError};
use bert_tests::steps::{Batch, batch_loss};
use bert_tests::{Golden, TestDevice, model, on_every_device};
use bert_text_classification::{Labels, ModelForSequenceClassification, loss};
use bert_train::{AdamW, Stepper, TrainError};
use burn::tensor::{Int, Tensor};

on_every_device!(
    a_sequence_longer_than_the_position_table,
    an_input_without_tokens,
    a_mask_of_another_shape,
    lengths_that_are_not_those_of_the_rows,
    a_token_that_its_row_does_not_have,
    a_parameter_that_gets_no_gradient,
    a_loss_that_is_not_a_number,
);

fn a_sequence_longer_than_the_position_table(device: &TestDevice) -> anyhow::Result<()> {
    let input = EncoderInput::new(Tensor::<2, Int>::ones([2, 18], device.plain()));
    let expected = EncoderError::SequenceTooLong {
        sequence_length: 18,
        max_position_embeddings: 17,
    };
    refused(device, input, &expected)?;
    let longest = EncoderInput::new(Tensor::<2, Int>::ones([2, 17], device.plain()));
    let classifier = classifier(device)?;
    assert_eq!(classifier.forward(longest)?.dims(), [2, 7]);
    Ok(())
}

fn an_input_without_tokens(device: &TestDevice) -> anyhow::Result<()> {
    for [batch_size, sequence_length] in [[0, 5], [3, 0]] {
        let ids = Tensor::<2, Int>::empty([batch_size, sequence_length], device.plain());
        let expected = EncoderError::EmptyInput {
            batch_size,
            sequence_length,
        };
        refused(device, EncoderInput::new(ids), &expected)?;
    }
    Ok(())
}

fn lengths_that_are_not_those_of_the_rows(device: &TestDevice) -> anyhow::Result<()> {
    let ids = Tensor::<2, Int>::ones([2, 5], device.plain());
    let of = |lengths: &[usize]| EncoderInput {
        lengths: Some(lengths.to_vec()),
        ..EncoderInput::new(ids.clone())
    };
    let expected = EncoderError::LengthCount {
        name: "lengths",
        found: 3,
        batch_size: 2,
    };
    refused(device, of(&[5, 5, 5]), &expected)?;
    for (length, row) in [(0, 1), (6, 0)] {
        let mut lengths = [5, 5];
        lengths[row] = length;
        let expected = EncoderError::Length {
            row,
            length,
            sequence_length: 5,
        };
        refused(device, of(&lengths), &expected)?;
    }
    Ok(())
}

fn a_token_that_its_row_does_not_have(device: &TestDevice) -> anyhow::Result<()> {
    let classifier = classifier(device)?;
    let ids = Tensor::<2, Int>::ones([2, 5], device.plain());
    let positions = |positions: &[Vec<usize>]| {
        let input = EncoderInput::new(ids.clone());
        classifier.bert.forward_selected(input, positions).err()
    };
    let expected = EncoderError::LengthCount {
        name: "positions",
        found: 1,
        batch_size: 2,
    };
    assert_eq!(positions(&[vec![0]]), Some(expected));
    let expected = EncoderError::Position {
        row: 1,
        position: 5,
        length: 5,
    };
    assert_eq!(positions(&[vec![0], vec![1, 5]]), Some(expected));
    Ok(())
}

fn a_mask_of_another_shape(device: &TestDevice) -> anyhow::Result<()> {
    let mut input = EncoderInput::new(Tensor::<2, Int>::ones([2, 5], device.plain()));
    input.attention_mask = Some(Tensor::<2, Int>::ones([2, 6], device.plain()));
    let expected = EncoderError::InputShape {
        name: "attention_mask",
        found: [2, 6],
        expected: [2, 5],
    };
    refused(device, input, &expected)
}

fn a_parameter_that_gets_no_gradient(device: &TestDevice) -> anyhow::Result<()> {
    let without_pooler =
        |model: &ModelForSequenceClassification, batch: &Batch| -> Result<BatchLoss, TaskError> {
            let output = model.bert.forward(batch.input.clone())?;
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
    assert_eq!(
        *names,
        ["bert.pooler.dense.weight", "bert.pooler.dense.bias"]
    );
    assert!(
        error.to_string().contains("bert.pooler.dense.weight"),
        "{error}"
    );
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

fn classifier(device: &TestDevice) -> anyhow::Result<ModelForSequenceClassification> {
    model::load_classifier(
        &Golden::open("single_label")?.checkpoint()?,
        0.0,
        device.plain(),
    )
}

fn refused(
    device: &TestDevice,
    input: EncoderInput,
    expected: &EncoderError,
) -> anyhow::Result<()> {
    let result = classifier(device)?.forward(input);
    assert_eq!(result.err().as_ref(), Some(expected));
    Ok(())
}

/// The error of the first optimiser step with this loss.
fn first_step(
    device: &TestDevice,
    loss: impl Fn(&ModelForSequenceClassification, &Batch) -> Result<BatchLoss, TaskError>,
) -> anyhow::Result<TrainError> {
    let golden = Golden::open("single_label")?;
    let on = device.autodiff();
    let classifier = model::load_classifier(&golden.checkpoint()?, 0.0, &on)?;
    let batches = [(Batch::read(&golden, "", &on)?, 6)];
    let mut stepper = Stepper::new(AdamW::new(0.01), Some(1.0), 0);
    match stepper.step(classifier, &batches, 1e-3, &on, loss) {
        Ok((_, outcome)) => anyhow::bail!("the step went through: {outcome:?}"),
        Err(error) => Ok(error),
    }
}
