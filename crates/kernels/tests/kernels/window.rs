//! Attention under a window, against attention under a mask that is written out.

use bert_kernels::{
    AttentionParams, DropoutMask, Precision, Projections, attention, attention_composed,
    attention_with_probabilities,
};
use bert_testing::{
    Quantity, TestDevice, Values, assert_close, assert_equal_bits, where_kernels_are,
    with_and_without_kernels,
};
use burn::tensor::{Device, Tensor, TensorData};

use crate::common::{MASKS, assert_same, kept, waves, with_gradients};

with_and_without_kernels!(
    a_query_sees_its_window_alone,
    a_query_with_a_masked_window_sees_all_keys_alike,
    a_window_that_hides_nothing_changes_nothing,
    probabilities_are_within_the_window,
);

where_kernels_are!(dropout_of_a_window_is_that_of_whole_sequences);

const HEADS: usize = 5;
const WIDTH: usize = 35;
/// Of no, one, two and three blocks of the kernel; the window hides nothing of the first ones.
const LENGTHS: [usize; 4] = [1, 4, 70, 150];

fn params(lengths: &[usize], window: Option<usize>, dropout: DropoutMask) -> AttentionParams {
    AttentionParams {
        lengths: lengths.into(),
        query_lengths: lengths.into(),
        heads: HEADS,
        dropout,
        window,
        precision: Precision::F32,
    }
}

fn qkv(tokens: usize, device: &Device) -> [Tensor<2>; 3] {
    [0.0, 1.0, 2.0].map(|phase| waves([tokens, WIDTH], phase, device))
}

/// What a sequence's queries may not see, `[1, 1, S, S]`: keys that are further away than the window, and padding from `real` on.
fn band(length: usize, window: usize, real: usize, device: &Device) -> Tensor<4> {
    let hides = |query: usize, key: usize| query.abs_diff(key) > window || key >= real;
    let places = (0..length).flat_map(|query| (0..length).map(move |key| (query, key)));
    let mask: Vec<f32> = places
        .map(|(query, key)| if hides(query, key) { f32::MIN } else { 0.0 })
        .collect();
    Tensor::from_data(TensorData::new(mask, [1, 1, length, length]), device)
}

fn a_query_sees_its_window_alone(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let tokens = LENGTHS.iter().sum();
    for window in [0, 3, 100] {
        let found = with_gradients(qkv(tokens, &on), |inputs| {
            let params = params(&LENGTHS, Some(window), DropoutMask::NONE);
            attention(Projections::from_separate(inputs), None, params)
        });
        let expected = with_gradients(qkv(tokens, &on), |inputs| {
            let mut first = 0;
            let contexts = LENGTHS.map(|length| {
                let rows = inputs.clone().map(|input| input.narrow(0, first, length));
                first += length;
                let mask = band(length, window, length, &on);
                attention_composed(rows, Some(mask), [1, HEADS], |p| p).0
            });
            Tensor::cat(contexts.to_vec(), 0)
        });
        assert_same(device, &format!("window {window}"), &found, &expected);
    }
    Ok(())
}

fn a_query_with_a_masked_window_sees_all_keys_alike(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (length, real, window) = (90, 66, 7);
    let padding: Vec<f32> = (0..length)
        .map(|key| if key < real { 0.0 } else { f32::MIN })
        .collect();
    let padding = Tensor::<1>::from_data(TensorData::new(padding, [length]), &on);
    let found = with_gradients(qkv(length, &on), |inputs| {
        let params = params(&[length], Some(window), DropoutMask::NONE);
        attention(Projections::from_separate(inputs), Some(padding), params)
    });
    let expected = with_gradients(qkv(length, &on), |inputs| {
        let mask = band(length, window, real, &on);
        attention_composed(inputs, Some(mask), [1, HEADS], |p| p).0
    });
    assert_same(device, "a masked window", &found, &expected);
    let mean = Values::of(qkv(length, &on)[2].clone().mean_dim(0));
    let last = found[0].rows(&[length - 1]);
    assert_close(
        device,
        Quantity::FusedForward,
        "the last query",
        &last,
        &mean,
    );
    Ok(())
}

fn a_window_that_hides_nothing_changes_nothing(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.plain();
    let attend = |window| {
        let params = params(&[70, 70], window, DropoutMask::NONE);
        Values::of(attention(
            Projections::from_separate(qkv(140, on)),
            None,
            params,
        ))
    };
    assert_equal_bits(device, "context", &attend(Some(69)), &attend(None));
    Ok(())
}

fn probabilities_are_within_the_window(device: &TestDevice) -> anyhow::Result<()> {
    let (on, window) = (device.plain(), 2);
    let params = params(&[9, 9], Some(window), DropoutMask::NONE);
    let of = || Projections::from_separate(qkv(18, on));
    let (context, probabilities) = attention_with_probabilities(of(), None, None, params.clone());
    let hidden = band(9, window, 9, on).lower_elem(0.0);
    let beyond = probabilities.clone() * hidden.expand([2, HEADS, 9, 9]).float();
    assert_eq!(beyond.sum().into_scalar::<f32>(), 0.0);
    let expected = Values::of(attention(of(), None, params));
    let context = Values::of(context);
    assert_close(
        device,
        Quantity::FusedForward,
        "context",
        &context,
        &expected,
    );
    Ok(())
}

fn dropout_of_a_window_is_that_of_whole_sequences(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (length, window) = (150, 9);
    for mask in MASKS {
        let found = with_gradients(qkv(length, &on), |inputs| {
            let params = params(&[length], Some(window), mask);
            attention(Projections::from_separate(inputs), None, params)
        });
        let factors = kept([1, length, HEADS, length], mask, &on).swap_dims(1, 2);
        let expected = with_gradients(qkv(length, &on), |inputs| {
            let hidden = band(length, window, length, &on);
            let drop = |probabilities| probabilities * factors;
            attention_composed(inputs, Some(hidden), [1, HEADS], drop).0
        });
        let name = format!("window, dropout {}", mask.probability);
        assert_same(device, &name, &found, &expected);
    }
    Ok(())
}
