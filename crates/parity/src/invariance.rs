//! What padding and the other rows of a batch must not change.

use bert_encoder::{EncoderInput, EncoderOutput, PaddedInput, Want};
use burn::tensor::{Bool, Int, Tensor};

use crate::model::{PooledEncoder, ragged};
use crate::{Comparisons, ParityError, Quantity, Values};

/// Hidden states, and pooled outputs `[B, H]`.
pub type Outputs = (EncoderOutput, Tensor<2>);

/// What the encoder makes of a batch.
///
/// # Errors
/// The batch does not fit the encoder.
pub fn forward(
    encoder: &PooledEncoder,
    input: impl Into<EncoderInput>,
) -> Result<Outputs, ParityError> {
    Ok(encoder.forward(input, Want::default())?)
}

/// More padding leaves real tokens as they are.
///
/// # Errors
/// The batch does not fit the encoder.
pub fn padding(
    comparisons: &mut Comparisons,
    encoder: &PooledEncoder,
    input: &PaddedInput,
) -> Result<(), ParityError> {
    let padded = PaddedInput {
        input_ids: with_columns(input.input_ids.clone(), 7, 5),
        token_type_ids: input
            .token_type_ids
            .clone()
            .map(|types| with_columns(types, 7, 1)),
        attention_mask: input
            .attention_mask
            .clone()
            .map(|mask| with_columns(mask, 7, 0)),
    };
    let is_padding = is_padding(input);
    let [_, sequence] = input.input_ids.dims();
    let expected = forward(encoder, input.clone())?;
    let mut found = forward(encoder, padded)?;
    found.0.last_hidden_state = found.0.last_hidden_state.narrow(1, 0, sequence);
    compare_real_tokens(comparisons, &found, &expected, &is_padding);
    Ok(())
}

/// A row alone is what it is in a batch.
///
/// # Errors
/// The batch does not fit the encoder.
pub fn rows_alone(
    comparisons: &mut Comparisons,
    encoder: &PooledEncoder,
    input: &PaddedInput,
) -> Result<(), ParityError> {
    let [batch, _] = input.input_ids.dims();
    let (together, pooled) = forward(encoder, input.clone())?;
    for row in 0..batch {
        let one = |tensor: Tensor<2, Int>| tensor.narrow(0, row, 1);
        let alone = PaddedInput {
            input_ids: one(input.input_ids.clone()),
            token_type_ids: input.token_type_ids.clone().map(one),
            attention_mask: input.attention_mask.clone().map(one),
        };
        let is_padding = is_padding(&alone);
        let expected = EncoderOutput {
            last_hidden_state: together.last_hidden_state.clone().narrow(0, row, 1),
            ..together.clone()
        };
        let expected = (expected, pooled.clone().narrow(0, row, 1));
        let found = forward(encoder, alone)?;
        compare_real_tokens(comparisons, &found, &expected, &is_padding);
    }
    Ok(())
}

/// A batch without padding has the real tokens of the padded one.
///
/// # Errors
/// The batch does not fit the encoder.
pub fn without_padding(
    comparisons: &mut Comparisons,
    encoder: &PooledEncoder,
    input: &PaddedInput,
) -> Result<(), ParityError> {
    let ragged = ragged(input, &lengths(input));
    let padded = ragged.to_padded(0, &input.input_ids.device());
    let is_padding = is_padding(&padded);
    let expected = forward(encoder, padded)?;
    let found = forward(encoder, ragged)?;
    compare_real_tokens(comparisons, &found, &expected, &is_padding);
    Ok(())
}

/// Different lengths for the rows: golden masks have holes and a row of nothing but padding, which a ragged batch cannot say.
pub fn lengths(input: &PaddedInput) -> Vec<usize> {
    let [batch, sequence] = input.input_ids.dims();
    (0..batch)
        .map(|row| sequence - 2 * row % sequence)
        .collect()
}

/// Where the mask is zero, `[B, S]`; nowhere without a mask.
pub fn is_padding(input: &PaddedInput) -> Tensor<2, Bool> {
    let mask = input.attention_mask.clone();
    mask.unwrap_or_else(|| input.input_ids.ones_like())
        .equal_scalar(0)
}

/// The hidden states with zeros at padding, and the pooled outputs.
pub fn real_tokens(
    (output, pooled): &Outputs,
    is_padding: &Tensor<2, Bool>,
) -> [(&'static str, Values); 2] {
    let states = output.last_hidden_state.clone();
    let padding = is_padding
        .clone()
        .unsqueeze_dim::<3>(2)
        .expand(states.dims());
    [
        (
            "last_hidden_state",
            Values::of(states.mask_fill(padding, 0.0)),
        ),
        ("pooler_output", Values::of(pooled.clone())),
    ]
}

/// `columns` more of one value.
fn with_columns(tensor: Tensor<2, Int>, columns: usize, value: i32) -> Tensor<2, Int> {
    let [rows, _] = tensor.dims();
    let more = Tensor::full([rows, columns], value, &tensor.device());
    Tensor::cat(vec![tensor, more], 1)
}

/// Compares what does not depend on padded positions.
fn compare_real_tokens(
    comparisons: &mut Comparisons,
    found: &Outputs,
    expected: &Outputs,
    is_padding: &Tensor<2, Bool>,
) {
    let expected = real_tokens(expected, is_padding);
    for ((name, found), (_, expected)) in real_tokens(found, is_padding).iter().zip(&expected) {
        comparisons.values(Quantity::Invariance, name, found, expected);
    }
}
