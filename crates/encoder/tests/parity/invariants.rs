//! What must not matter, and what must.

use bert_encoder::{EncoderInput, PaddedInput, Want};
use bert_testing::invariance::{Outputs, forward, is_padding, lengths, real_tokens};
use bert_testing::model::{PooledEncoder, ragged};
use bert_testing::{
    Comparisons, Golden, ParityError, Quantity, TestDevice, Values, assert_all, assert_close,
    assert_equal_bits, invariance, model, with_and_without_kernels,
};
use burn::tensor::Tensor;

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
    check(device, invariance::padding)
}

fn a_row_alone_is_what_it_is_in_a_batch(device: &TestDevice) -> anyhow::Result<()> {
    check(device, invariance::rows_alone)
}

fn leaving_padding_out_leaves_real_tokens_unchanged(device: &TestDevice) -> anyhow::Result<()> {
    check(device, invariance::without_padding)
}

type Check = fn(&mut Comparisons, &PooledEncoder, &PaddedInput) -> Result<(), ParityError>;

fn check(device: &TestDevice, check: Check) -> anyhow::Result<()> {
    let (encoder, input) = main_case(device)?;
    let mut comparisons = Comparisons::on(device.backend());
    check(&mut comparisons, &encoder, &input)?;
    assert_all(comparisons);
    Ok(())
}

fn tokens_alone_are_what_they_are_among_all(device: &TestDevice) -> anyhow::Result<()> {
    let (PooledEncoder { encoder, pooler }, input) = main_case(device)?;
    let ragged = ragged(&input, &lengths(&input));
    let padded = ragged.to_padded(0, device.plain());
    for input in [EncoderInput::from(ragged), padded.into()] {
        let [batch, _] = input.dims();
        let hidden = encoder.forward(input.clone())?.last_hidden_state;
        let found = Values::of(pooler.forward(encoder.forward_first(input.clone())?));
        let pooled = Values::of(pooler.forward_hidden(hidden.clone()));
        assert_close(device, Quantity::Output, "pooled", &found, &pooled);
        // Of the rows in turn none, one and two tokens.
        let positions: Vec<Vec<usize>> = (0..batch).map(|row| (0..row % 3).collect()).collect();
        let rows = (0..batch).flat_map(|row| (0..row % 3).map(move |position| (row, position)));
        let expected = rows.map(|(row, position)| {
            let token = hidden.clone().narrow(0, row, 1).narrow(1, position, 1);
            token.squeeze_dim::<2>(0)
        });
        let expected = Values::of(Tensor::cat(expected.collect(), 0));
        let found = Values::of(encoder.forward_selected(input, &positions)?);
        assert_close(device, Quantity::Output, "selected", &found, &expected);
    }
    Ok(())
}

fn no_token_types_are_zeros(device: &TestDevice) -> anyhow::Result<()> {
    let (encoder, mut input) = main_case(device)?;
    input.token_type_ids = Some(input.input_ids.zeros_like());
    let zeros = forward(&encoder, input.clone())?;
    input.token_type_ids = None;
    let none = forward(&encoder, input)?;
    let values = |(output, _): Outputs| Values::of(output.last_hidden_state);
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
    let found = real_tokens(&forward(&encoder, other)?, &is_padding);
    let expected = real_tokens(&forward(&encoder, input)?, &is_padding);
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
        let (output, _) = encoder.forward(input.clone(), want)?;
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

fn main_case(device: &TestDevice) -> anyhow::Result<(PooledEncoder, PaddedInput)> {
    let golden = Golden::open("gelu")?;
    let (encoder, _) = model::load_encoder(&golden.checkpoint()?, device.plain())?;
    Ok((encoder, golden.input("", device.plain())?))
}

fn pooled(encoder: &PooledEncoder, input: &PaddedInput) -> anyhow::Result<Values> {
    Ok(Values::of(forward(encoder, input.clone())?.1))
}

fn largest_difference(left: &Values, right: &Values) -> f32 {
    let pairs = left.values.iter().zip(&right.values);
    pairs
        .map(|(left, right)| (left - right).abs())
        .fold(0.0, f32::max)
}
