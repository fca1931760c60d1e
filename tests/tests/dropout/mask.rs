//! Which elements the kernels for GPUs drop, in rows that are longer than the units that work on one.

use std::sync::PoisonError;

use bert_kernels::{
    AttentionParams, DropoutMask, NormParams, Precision, Projections, attention,
    attention_composed, dropout, dropout_add_norm, dropout_add_norm_composed,
};
use bert_testing::operation::{row, waves, with_gradients};
use bert_testing::{TestDevice, Values, assert_equal_bits, assert_same};
use burn::tensor::{Device, Distribution, Tensor, TensorData};

use super::TURN;

/// The kernels draw their own seed.
const MASK: DropoutMask = DropoutMask {
    probability: 0.3,
    seed: 0,
};
/// A seed of the device.
const SEED: u64 = 11;
const LENGTH: usize = 149;

mod dropout_is_the_hash_of_two_random_numbers_and_the_index {
    bert_testing::gpu_tests!(dropout_is_the_hash_of_two_random_numbers_and_the_index);
}

mod a_norm_drops_elements_of_its_input {
    bert_testing::gpu_tests!(a_norm_drops_elements_of_its_input);
}

mod attention_drops_probabilities {
    bert_testing::gpu_tests!(attention_drops_probabilities);
}

fn dropout_is_the_hash_of_two_random_numbers_and_the_index(
    device: &TestDevice,
) -> anyhow::Result<()> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let (on, shape) = (device.plain(), [71, 73]);
    on.seed(SEED);
    let found = dropout(Tensor::<2>::ones(shape, on), MASK);
    let expected = kept(shape, on);
    assert_equal_bits(
        device,
        "mask",
        &Values::of(found),
        &Values::of(expected.clone()),
    );
    let share = expected.equal_elem(0.0).float().mean().into_scalar::<f32>();
    assert!((0.25..0.35).contains(&share), "{share} is dropped");
    Ok(())
}

fn a_norm_drops_elements_of_its_input(device: &TestDevice) -> anyhow::Result<()> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let (on, shape, epsilon) = (device.autodiff(), [13, LENGTH], 0.5);
    let inputs = || {
        let parameter = |phase| waves([1, LENGTH], phase, &on);
        let x = |phase| waves(shape, phase, &on);
        [x(0.0), x(1.0), parameter(2.0), parameter(3.0)]
    };
    on.seed(SEED);
    let found = with_gradients(inputs(), |[x, residual, gamma, beta]| {
        let params = NormParams {
            epsilon,
            dropout: MASK,
            precision: Precision::F32,
        };
        dropout_add_norm(x, residual, row(gamma), Some(row(beta)), params)
    });
    let kept = kept(shape, &on);
    let expected = with_gradients(inputs(), |[x, residual, gamma, beta]| {
        let (gamma, beta) = (row(gamma), Some(row(beta)));
        dropout_add_norm_composed(x, residual, gamma, beta, epsilon, |x| x * kept)
    });
    assert_same(device, "norm", &found, &expected);
    Ok(())
}

fn attention_drops_probabilities(device: &TestDevice) -> anyhow::Result<()> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let (on, batch, heads, head) = (device.autodiff(), 2, 3, 5);
    let tokens = batch * LENGTH;
    let inputs = || [0.0, 1.0, 2.0].map(|phase| waves([tokens, heads * head], phase, &on));
    // The second sequence has a masked token.
    let hidden = (0..tokens).map(|token| if token == 200 { f32::MIN } else { 0.0 });
    let hidden = TensorData::new(hidden.collect(), [tokens]);
    let hidden = Tensor::<1>::from_data(hidden, &on);
    on.seed(SEED);
    let found = with_gradients(inputs(), |inputs| {
        let params = AttentionParams {
            lengths: vec![LENGTH; batch].into(),
            query_lengths: vec![LENGTH; batch].into(),
            heads,
            dropout: MASK,
            window: None,
            precision: Precision::F32,
        };
        let joined = Projections::from_separate(inputs);
        attention(joined, Some(hidden.clone()), params)
    });
    let kept = kept([batch, heads, LENGTH, LENGTH], &on);
    let expected = with_gradients(inputs(), |inputs| {
        let hidden = hidden.clone().reshape([batch, 1, 1, LENGTH]);
        let drop = |probabilities| probabilities * kept;
        attention_composed(inputs, Some(hidden), [batch, heads], drop).0
    });
    assert_same(device, "attention", &found, &expected);
    Ok(())
}

/// What a kernel multiplies a tensor by that is seeded with the first numbers of the device after [`SEED`].
fn kept<const D: usize>(shape: [usize; D], on: &Device) -> Tensor<D> {
    on.seed(SEED);
    let drawn = Tensor::<1>::random([2], Distribution::Uniform(0.0, 1.0), on).into_data();
    let seed = drawn.iter::<f32>();
    let seed: Vec<u32> = seed
        .map(|number| (number * 2.0_f32.powi(24)) as u32)
        .collect();
    let threshold = (MASK.probability * 2.0_f64.powi(32)) as u32;
    let scale = (1.0 / (1.0 - MASK.probability)) as f32;
    let count = shape.iter().product::<usize>() as u32;
    let scales = (0..count).map(|index| {
        let hash = seed.iter().fold(index, |hash, word| lowbias32(hash ^ word));
        if hash < threshold { 0.0 } else { scale }
    });
    Tensor::from_data(TensorData::new(scales.collect(), shape), on)
}

/// The hash of the kernels for CPUs, from its definition.
fn lowbias32(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}
