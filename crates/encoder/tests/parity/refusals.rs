//! What does not fit the encoder is an error that says what, on every backend.

use bert_encoder::{EncoderError, EncoderInput, PaddedInput, RaggedInput};
use bert_testing::model::PooledEncoder;
use bert_testing::{Golden, TestDevice, model, on_every_device};
use burn::tensor::{Int, Tensor};

on_every_device!(
    a_sequence_longer_than_the_position_table,
    an_input_without_tokens,
    a_mask_of_another_shape,
    a_token_that_its_row_does_not_have,
);

fn a_sequence_longer_than_the_position_table(device: &TestDevice) -> anyhow::Result<()> {
    let rows = |length| Tensor::<2, Int>::ones([2, length], device.plain());
    let ragged = RaggedInput::from_sequences([(&[1; 18][..], &[0; 18][..]), (&[1], &[0])])?;
    for input in [EncoderInput::new(rows(18)), ragged.into()] {
        let expected = EncoderError::SequenceTooLong {
            sequence_length: 18,
            max_position_embeddings: 17,
        };
        refused(device, input, &expected)?;
    }
    let PooledEncoder { encoder, .. } = encoder(device)?;
    let output = encoder.forward(EncoderInput::new(rows(17)))?;
    assert_eq!(output.last_hidden_state.dims(), [2, 17, 16]);
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
    let ragged = RaggedInput::from_sequences([(&[1, 1][..], &[0, 0][..]), (&[], &[])])?;
    let expected = EncoderError::EmptySequence { sequence: 1 };
    refused(device, ragged.into(), &expected)
}

fn a_token_that_its_row_does_not_have(device: &TestDevice) -> anyhow::Result<()> {
    let PooledEncoder { encoder, .. } = encoder(device)?;
    let ids = Tensor::<2, Int>::ones([2, 5], device.plain());
    let positions = |positions: &[Vec<usize>]| {
        let input = EncoderInput::new(ids.clone());
        encoder.forward_selected(input, positions).err()
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
    let input = PaddedInput {
        input_ids: Tensor::<2, Int>::ones([2, 5], device.plain()),
        token_type_ids: None,
        attention_mask: Some(Tensor::<2, Int>::ones([2, 6], device.plain())),
    };
    let expected = EncoderError::InputShape {
        name: "attention_mask",
        found: [2, 6],
        expected: [2, 5],
    };
    refused(device, input.into(), &expected)
}

fn encoder(device: &TestDevice) -> anyhow::Result<PooledEncoder> {
    let checkpoint = Golden::open("gelu")?.checkpoint()?;
    Ok(model::load_encoder(&checkpoint, device.plain())?.0)
}

fn refused(
    device: &TestDevice,
    input: EncoderInput,
    expected: &EncoderError,
) -> anyhow::Result<()> {
    let result = encoder(device)?.encoder.forward(input);
    assert_eq!(result.err().as_ref(), Some(expected));
    Ok(())
}
