//! What must not matter, and what must.

use bert_encoder::{BertInput, BertModel, BertOutput, Want};
use bert_tests::{
    Golden, Quantity, TestDevice, Values, assert_close, assert_equal_bits, model, on_every_device,
};
use burn::tensor::{Device, Int, Tensor};

on_every_device!(
    padding_leaves_real_tokens_unchanged,
    a_row_alone_is_what_it_is_in_a_batch,
    no_token_types_are_zeros,
    token_types_matter,
    no_mask_is_a_mask_of_ones,
    padded_ids_do_not_matter,
    only_what_is_wanted_is_returned,
);

fn padding_leaves_real_tokens_unchanged(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, input) = main_case(device)?;
    let padded = BertInput {
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
    let mask = input.attention_mask.clone();
    let [_, sequence] = input.input_ids.dims();
    let expected = encoder.forward(input)?;
    let mut found = encoder.forward(padded)?;
    found.last_hidden_state = found.last_hidden_state.narrow(1, 0, sequence);
    check_real_tokens(device, found, expected, mask)
}

fn a_row_alone_is_what_it_is_in_a_batch(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, input) = main_case(device)?;
    let [batch, _] = input.input_ids.dims();
    let together = encoder.forward(input.clone())?;
    for row in 0..batch {
        let one = |tensor: Tensor<2, Int>| tensor.narrow(0, row, 1);
        let alone = BertInput {
            input_ids: one(input.input_ids.clone()),
            token_type_ids: input.token_type_ids.clone().map(one),
            attention_mask: input.attention_mask.clone().map(one),
        };
        let mask = alone.attention_mask.clone();
        let expected = BertOutput {
            last_hidden_state: together.last_hidden_state.clone().narrow(0, row, 1),
            pooler_output: together
                .pooler_output
                .clone()
                .map(|pooled| pooled.narrow(0, row, 1)),
            ..together.clone()
        };
        check_real_tokens(device, encoder.forward(alone)?, expected, mask)?;
    }
    Ok(())
}

fn no_token_types_are_zeros(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, mut input) = main_case(device)?;
    input.token_type_ids = Some(input.input_ids.zeros_like());
    let zeros = encoder.forward(input.clone())?;
    input.token_type_ids = None;
    let none = encoder.forward(input)?;
    let values = |output: BertOutput| Values::of(output.last_hidden_state);
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
    let mask = input.attention_mask.clone();
    let is_padding = input
        .attention_mask
        .clone()
        .map(|mask| mask.equal_scalar(0));
    let mut other = input.clone();
    other.input_ids = other
        .input_ids
        .mask_fill(is_padding.expect("the case has a mask"), 9);
    check_real_tokens(
        device,
        encoder.forward(other)?,
        encoder.forward(input)?,
        mask,
    )
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

fn main_case(device: &TestDevice) -> anyhow::Result<(BertModel, BertInput)> {
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

fn pooled(encoder: &BertModel, input: &BertInput) -> anyhow::Result<Values> {
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

/// Compares the pooled outputs, and the hidden states where the mask is 1.
fn check_real_tokens(
    device: &TestDevice,
    found: BertOutput,
    expected: BertOutput,
    mask: Option<Tensor<2, Int>>,
) -> anyhow::Result<()> {
    let is_real = mask
        .expect("the case has a mask")
        .unsqueeze_dim::<3>(2)
        .float();
    let real = |output: &BertOutput| Values::of(output.last_hidden_state.clone() * is_real.clone());
    let quantity = Quantity::Invariance;
    assert_close(
        device,
        quantity,
        "last_hidden_state",
        &real(&found),
        &real(&expected),
    );
    let pooled =
        |output: BertOutput| Values::of(output.pooler_output.expect("the case has a pooler"));
    assert_close(
        device,
        quantity,
        "pooler_output",
        &pooled(found),
        &pooled(expected),
    );
    Ok(())
}
