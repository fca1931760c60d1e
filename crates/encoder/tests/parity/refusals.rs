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
    let PooledEncoder { encoder, .. } = load(device)?;
    let longest = encoder.embeddings.max_length();
    let rows = |length| Tensor::<2, Int>::ones([2, length], device.plain());
    let too_long = longest + 1;
    let (ids, types) = (vec![1; too_long], vec![0; too_long]);
    let ragged = RaggedInput::from_sequences([(&ids[..], &types[..]), (&[1], &[0])])?;
    for input in [EncoderInput::new(rows(too_long)), ragged.into()] {
        let expected = EncoderError::SequenceTooLong {
            sequence_length: too_long,
            max_length: longest,
        };
        refused(device, input, &expected)?;
    }
    let output = encoder.forward(EncoderInput::new(rows(longest)))?;
    assert_eq!(output.last_hidden_state.dims(), [2, longest, 16]);
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
    let PooledEncoder { encoder, .. } = load(device)?;
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

fn load(device: &TestDevice) -> anyhow::Result<PooledEncoder> {
    let checkpoint = Golden::open("gelu")?.checkpoint()?;
    Ok(model::load_encoder(&checkpoint, device.plain())?.0)
}

fn refused(
    device: &TestDevice,
    input: EncoderInput,
    expected: &EncoderError,
) -> anyhow::Result<()> {
    let result = load(device)?.encoder.forward(input);
    assert_eq!(result.err().as_ref(), Some(expected));
    Ok(())
}
