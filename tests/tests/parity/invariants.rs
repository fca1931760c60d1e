//! What must not matter, and what must.

use bert_encoder::{Encoder, EncoderInput, EncoderOutput, Want};
use bert_testing::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_equal_bits, model,
    with_and_without_kernels,
};
use burn::tensor::{Bool, Device, Int, Tensor};

with_and_without_kernels!(
    padding_leaves_real_tokens_unchanged,
    a_row_alone_is_what_it_is_in_a_batch,
    leaving_padding_out_leaves_real_tokens_unchanged,
    tokens_alone_are_what_they_are_among_all,
    no_token_types_are_zeros,
    token_types_matter,
    no_mask_is_a_mask_of_ones,
    padded_ids_do_not_matter,
    only_what_is_wanted_is_returned,
);

fn padding_leaves_real_tokens_unchanged(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, input) = main_case(device)?;
    let padded = EncoderInput {
        input_ids: with_columns(input.input_ids.clone(), 7, 5),
        token_type_ids: input
            .token_type_ids
            .clone()
            .map(|types| with_columns(types, 7, 1)),
        attention_mask: input
            .attention_mask
            .clone()
            .map(|mask| with_columns(mask, 7, 0)),
        lengths: None,
    };
    let is_padding = is_padding(&input);
    let [_, sequence] = input.input_ids.dims();
    let expected = encoder.forward(input)?;
    let mut found = encoder.forward(padded)?;
    found.last_hidden_state = found.last_hidden_state.narrow(1, 0, sequence);
    check_real_tokens(device, &found, &expected, &is_padding);
    Ok(())
}

fn a_row_alone_is_what_it_is_in_a_batch(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, input) = main_case(device)?;
    let [batch, _] = input.input_ids.dims();
    let together = encoder.forward(input.clone())?;
    for row in 0..batch {
        let one = |tensor: Tensor<2, Int>| tensor.narrow(0, row, 1);
        let alone = EncoderInput {
            input_ids: one(input.input_ids.clone()),
            token_type_ids: input.token_type_ids.clone().map(one),
            attention_mask: input.attention_mask.clone().map(one),
            lengths: None,
        };
        let is_padding = is_padding(&alone);
        let expected = EncoderOutput {
            last_hidden_state: together.last_hidden_state.clone().narrow(0, row, 1),
            pooler_output: together
                .pooler_output
                .clone()
                .map(|pooled| pooled.narrow(0, row, 1)),
            ..together.clone()
        };
        check_real_tokens(device, &encoder.forward(alone)?, &expected, &is_padding);
    }
    Ok(())
}

fn leaving_padding_out_leaves_real_tokens_unchanged(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, input) = main_case(device)?;
    let packed = with_lengths(input);
    let masked = packed.clone().with_padding();
    let is_padding = is_padding(&masked);
    let expected = encoder.forward(masked)?;
    check_real_tokens(device, &encoder.forward(packed)?, &expected, &is_padding);
    Ok(())
}

fn tokens_alone_are_what_they_are_among_all(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, input) = main_case(device)?;
    let packed = with_lengths(input);
    let [batch, _] = packed.input_ids.dims();
    for input in [packed.clone(), packed.with_padding()] {
        let output = encoder.forward(input.clone())?;
        let pooled = output.pooler_output.expect("the case has a pooler");
        let found = Values::of(encoder.pool(input.clone())?);
        let quantity = Quantity::Output;
        assert_close(device, quantity, "pooled", &found, &Values::of(pooled));
        // Of the rows in turn none, one and two tokens.
        let positions: Vec<Vec<usize>> = (0..batch).map(|row| (0..row % 3).collect()).collect();
        let hidden = output.last_hidden_state;
        let rows = (0..batch).flat_map(|row| (0..row % 3).map(move |position| (row, position)));
        let expected = rows.map(|(row, position)| {
            let token = hidden.clone().narrow(0, row, 1).narrow(1, position, 1);
            token.squeeze_dim::<2>(0)
        });
        let expected = Values::of(Tensor::cat(expected.collect(), 0));
        let found = Values::of(encoder.forward_selected(input, &positions)?);
        assert_close(device, quantity, "selected", &found, &expected);
    }
    Ok(())
}

/// The batch with rows of different lengths. The case's own masks have holes and a row of nothing but padding, which
/// lengths cannot say.
fn with_lengths(input: EncoderInput) -> EncoderInput {
    let [batch, sequence] = input.input_ids.dims();
    let lengths = (0..batch).map(|row| sequence - 2 * row % sequence);
    EncoderInput {
        lengths: Some(lengths.collect()),
        attention_mask: None,
        ..input
    }
}

fn no_token_types_are_zeros(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, mut input) = main_case(device)?;
    input.token_type_ids = Some(input.input_ids.zeros_like());
    let zeros = encoder.forward(input.clone())?;
    input.token_type_ids = None;
    let none = encoder.forward(input)?;
    let values = |output: EncoderOutput| Values::of(output.last_hidden_state);
    assert_equal_bits(device, "last_hidden_state", &values(none), &values(zeros));
    Ok(())
}

fn token_types_matter(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, mut input) = main_case(device)?;
    let drawn = pooled(&encoder, &input)?;
    input.token_type_ids = None;
    let zeros = pooled(&encoder, &input)?;
    assert!(largest_difference(&drawn, &zeros) > 0.01);
    Ok(())
}

fn no_mask_is_a_mask_of_ones(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, mut input) = main_case(device)?;
    let masked = pooled(&encoder, &input)?;
    input.attention_mask = Some(input.input_ids.ones_like());
    let ones = pooled(&encoder, &input)?;
    input.attention_mask = None;
    let none = pooled(&encoder, &input)?;
    assert_equal_bits(device, "pooler_output", &none, &ones);
    assert!(
        largest_difference(&masked, &none) > 0.01,
        "the mask has no effect"
    );
    Ok(())
}

fn padded_ids_do_not_matter(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, input) = main_case(device)?;
    let is_padding = is_padding(&input);
    let mut other = input.clone();
    other.input_ids = other.input_ids.mask_fill(is_padding.clone(), 9);
    let found = real_tokens(&encoder.forward(other)?, &is_padding);
    let expected = real_tokens(&encoder.forward(input)?, &is_padding);
    // The shapes are the same, so is the order of every sum, and what is masked adds exactly 0.
    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
        assert_equal_bits(device, name, found, expected);
    }
    Ok(())
}

fn only_what_is_wanted_is_returned(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, input) = main_case(device)?;
    for (hidden_states, attentions) in [(false, false), (true, false), (false, true), (true, true)]
    {
        let want = Want {
            hidden_states,
            attentions,
        };
        let output = encoder.forward_with(input.clone(), want)?;
        assert_eq!(
            output.hidden_states.len(),
            if hidden_states { 4 } else { 0 }
        );
        assert_eq!(output.attentions.len(), if attentions { 3 } else { 0 });
        assert!(
            output
                .hidden_states
                .iter()
                .all(|state| state.dims() == [5, 13, 16])
        );
        assert!(
            output
                .attentions
                .iter()
                .all(|probabilities| probabilities.dims() == [5, 2, 13, 13])
        );
    }
    Ok(())
}

fn main_case(device: &TestDevice) -> anyhow::Result<(Encoder, EncoderInput)> {
    let golden = Golden::open("gelu")?;
    let (encoder, _) = model::load_encoder(&golden.checkpoint()?, device.plain())?;
    Ok((encoder, golden.input("", device.plain())?))
}

/// `columns` more of one value.
fn with_columns(tensor: Tensor<2, Int>, columns: usize, value: i32) -> Tensor<2, Int> {
    let [rows, _] = tensor.dims();
    let device: Device = tensor.device();
    Tensor::cat(
        vec![tensor, Tensor::full([rows, columns], value, &device)],
        1,
    )
}

fn pooled(encoder: &Encoder, input: &EncoderInput) -> anyhow::Result<Values> {
    let output = encoder.forward(input.clone())?;
    Ok(Values::of(
        output.pooler_output.expect("the case has a pooler"),
    ))
}

fn largest_difference(left: &Values, right: &Values) -> f32 {
    let pairs = left.values.iter().zip(&right.values);
    pairs
        .map(|(left, right)| (left - right).abs())
        .fold(0.0, f32::max)
}

/// `[B, S]`.
fn is_padding(input: &EncoderInput) -> Tensor<2, Bool> {
    let mask = input.attention_mask.clone().expect("the case has a mask");
    mask.equal_scalar(0)
}

/// The hidden states with zeros at padding, and the pooled outputs.
fn real_tokens(
    output: &EncoderOutput,
    is_padding: &Tensor<2, Bool>,
) -> [(&'static str, Values); 2] {
    let states = output.last_hidden_state.clone();
    let padding = is_padding
        .clone()
        .unsqueeze_dim::<3>(2)
        .expand(states.dims());
    let pooled = output.pooler_output.clone().expect("the case has a pooler");
    [
        (
            "last_hidden_state",
            Values::of(states.mask_fill(padding, 0.0)),
        ),
        ("pooler_output", Values::of(pooled)),
    ]
}

/// Compares what does not depend on padded positions.
fn check_real_tokens(
    device: &TestDevice,
    found: &EncoderOutput,
    expected: &EncoderOutput,
    is_padding: &Tensor<2, Bool>,
) {
    let expected = real_tokens(expected, is_padding);
    for ((name, found), (_, expected)) in real_tokens(found, is_padding).iter().zip(&expected) {
        assert_close(device, Quantity::Invariance, name, found, expected);
    }
}
