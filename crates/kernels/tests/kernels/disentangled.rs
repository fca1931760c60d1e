//! Attention with relative positions, as DeBERTa has it.

use bert_kernels::{Positions, Projections, disentangled_attention, without_kernels};
use bert_testing::{
    Quantity, TestDevice, Values, assert_close, where_kernels_are, with_and_without_kernels,
};
use burn::tensor::Tensor;

use crate::attention::params;
use crate::common::{assert_same, waves, with_gradients};

where_kernels_are!(disentangled_attention_is_its_composed_body);

with_and_without_kernels!(disentangled_scores_are_those_of_their_formula);

/// With both kinds of positions and with each alone, and sequences as for a bias.
fn disentangled_attention_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (lengths, heads, width) = ([5, 1, 70, 19], 5, 35);
    for (has_keys, has_queries) in [(true, true), (true, false), (false, true)] {
        let attend = || {
            let qkv = [0.0, 1.0, 2.0].map(|phase| waves([95, width], phase, &on));
            let [query, key, value] = qkv;
            let [keys, queries] = [3.0, 4.0].map(|phase| waves([140, width], phase, &on));
            let inputs = [query, key, value, keys, queries];
            with_gradients(inputs, |[query, key, value, keys, queries]| {
                // Each input takes part, so that each has a gradient.
                let unused = |is_used, rows: &Tensor<2>| {
                    let factor = if is_used { 0.0 } else { 1.0 };
                    rows.clone().mean().reshape([1, 1]) * factor
                };
                let unused: Tensor<2> = unused(has_keys, &keys) + unused(has_queries, &queries);
                let positions = Positions {
                    keys: has_keys.then_some(keys),
                    queries: has_queries.then_some(queries),
                };
                let mask = Tensor::zeros([95], &on)
                    .slice_fill(8..12, f32::MIN)
                    .slice_fill(94..95, f32::MIN);
                let qkv = Projections::from_separate([query, key, value]);
                let params = params(&lengths, heads);
                let context = disentangled_attention(qkv, positions, Some(mask), params);
                context + unused
            })
        };
        let name = format!("disentangled attention, {has_keys}, {has_queries}");
        assert_same(device, &name, &attend(), &without_kernels(attend));
    }
    Ok(())
}

/// The context of one head of width 2, whose scores are computed here number by number.
fn disentangled_scores_are_those_of_their_formula(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.plain();
    let (lengths, longest) = ([3, 5], 5);
    let numbers = |rows: usize, phase| -> (Tensor<2>, Vec<f64>) {
        let tensor = waves([rows, 2], phase, on);
        let numbers: Vec<f32> = tensor.to_data().iter().collect();
        (tensor, numbers.into_iter().map(f64::from).collect())
    };
    let [(query, q), (key, k), (value, v)] = [0.0, 1.0, 2.0].map(|phase| numbers(8, phase));
    let [(keys, of_keys), (queries, of_queries)] = [3.0, 4.0].map(|phase| numbers(10, phase));
    let product = |a: &[f64], i: usize, b: &[f64], j: usize| {
        a[2 * i] * b[2 * j] + a[2 * i + 1] * b[2 * j + 1]
    };
    let mut expected = Vec::new();
    for (first, length) in [(0, 3), (3, 5)] {
        for query in 0..length {
            let scores = (0..length).map(|key| {
                let content = product(&q, first + query, &k, first + key);
                let content_to_position =
                    product(&q, first + query, &of_keys, longest - 1 + key - query);
                let position_to_content =
                    product(&k, first + key, &of_queries, longest - 1 + query - key);
                (content + content_to_position + position_to_content) / 6.0_f64.sqrt()
            });
            let powers: Vec<f64> = scores.map(f64::exp).collect();
            let sum: f64 = powers.iter().sum();
            for column in 0..2 {
                let of_key = |key: usize| powers[key] / sum * v[2 * (first + key) + column];
                expected.push((0..length).map(of_key).sum::<f64>());
            }
        }
    }
    let positions = Positions {
        keys: Some(keys),
        queries: Some(queries),
    };
    let qkv = Projections::from_separate([query, key, value]);
    let found = disentangled_attention(qkv, positions, None, params(&lengths, 1));
    let found = Values::of(found);
    let expected = Values {
        shape: found.shape.clone(),
        values: expected.into_iter().map(|number| number as f32).collect(),
    };
    assert_close(
        device,
        Quantity::KernelForward,
        "context",
        &found,
        &expected,
    );
    Ok(())
}
