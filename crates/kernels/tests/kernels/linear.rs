//! The linear maps of `bert-kernels`: what the other fused operations are held to, and weights that are kept.

use std::sync::Arc;

use bert_kernels::{
    Epilogue, LinearWeights, PackedWeight, WeightFormat, linear, linear_composed, linear_qkv,
};
use bert_testing::{TestDevice, Values, where_kernels_are};
use burn::tensor::Tensor;

use crate::fused_kernels::{assert_same, numbers, with_gradients};

where_kernels_are!(
    linear_is_its_composed_body,
    joined_linear_maps_are_each_of_them,
    kept_panels_are_the_weight_of_the_moment,
);

/// Rows: one; fewer than are shared out as tiles of rows; enough for several of these.
const ROWS: [usize; 3] = [1, 71, 300];

fn linear_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (inner, columns) = (37, 101);
    for rows in ROWS {
        for epilogue in [Epilogue::Bias, Epilogue::BiasGelu] {
            let inputs = || {
                [
                    numbers([rows, inner], 0.0, &on),
                    numbers([inner, columns], 1.0, &on) * 0.2,
                    numbers([1, columns], 2.0, &on),
                ]
            };
            let flat = |x: Tensor<2>| x.reshape([columns]);
            let found = with_gradients(inputs(), |[x, weight, bias]| {
                linear(x, LinearWeights::new(weight, Some(flat(bias))), epilogue)
            });
            let expected = with_gradients(inputs(), |[x, weight, bias]| {
                linear_composed(x, weight, Some(flat(bias)), epilogue)
            });
            let name = format!("linear, {epilogue:?}, {rows} rows");
            assert_same(device, &name, &found, &expected);
            let [x, weight, bias] = inputs().map(Tensor::inner);
            let plain = linear(x, LinearWeights::new(weight, Some(flat(bias))), epilogue);
            assert_same(device, &name, &[Values::of(plain)], &expected[..1]);
        }
    }
    Ok(())
}

fn joined_linear_maps_are_each_of_them(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (inner, columns) = (37, 101);
    for rows in ROWS {
        let inputs = || {
            let weight = |phase| numbers([inner, columns], phase, &on) * 0.2;
            let bias = |phase| numbers([1, columns], phase, &on);
            let x = numbers([rows, inner], 0.0, &on);
            [
                x,
                weight(1.0),
                bias(2.0),
                weight(3.0),
                bias(4.0),
                weight(5.0),
                bias(6.0),
            ]
        };
        let flat = |x: Tensor<2>| x.reshape([columns]);
        let found = with_gradients(inputs(), |[x, w1, b1, w2, b2, w3, b3]| {
            let maps = [(w1, b1), (w2, b2), (w3, b3)];
            linear_qkv(x, maps.map(|(w, b)| LinearWeights::new(w, Some(flat(b))))).into_joined()
        });
        let expected = with_gradients(inputs(), |[x, w1, b1, w2, b2, w3, b3]| {
            let maps = [(w1, b1), (w2, b2), (w3, b3)];
            let each = maps.map(|(weight, bias)| {
                linear_composed(x.clone(), weight, Some(flat(bias)), Epilogue::Bias)
            });
            Tensor::cat(each.to_vec(), 1)
        });
        assert_same(device, &format!("joined, {rows} rows"), &found, &expected);
    }
    Ok(())
}

/// Whatever becomes of the weight in between, in place or not.
fn kept_panels_are_the_weight_of_the_moment(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.plain().clone();
    let (inner, columns) = (37, 101);
    let bias: Tensor<1> = numbers([columns], 2.0, &on);
    // What one output may be off by, both factors being rounded: each of the products of two numbers below 2 and 0.4.
    let largest = inner as f32 * 2.0 * 0.4;
    for (format, tolerance) in [
        (WeightFormat::F32, 0.0),
        (WeightFormat::Bf16, largest / 256.0),
        (WeightFormat::Int8, largest / 127.0),
    ] {
        let packed = Arc::new(PackedWeight::new(format));
        let mut weight: Tensor<2> = numbers([inner, columns], 1.0, &on) * 0.2;
        for step in 0..4 {
            for rows in ROWS {
                let x: Tensor<2> = numbers([rows, inner], 0.0, &on);
                let mut map = LinearWeights::new(weight.clone(), Some(bias.clone()));
                let expected = linear(x.clone(), map.clone(), Epilogue::Bias);
                map.packed = Some(packed.clone());
                let found = linear(x, map, Epilogue::Bias);
                let difference: f32 = (found - expected).abs().max().into_scalar();
                let what = format!("{format:?}, {rows} rows, step {step}");
                assert!(difference <= tolerance, "{what}: {difference} off");
                assert!(difference > 0.0 || format == WeightFormat::F32, "{what}");
            }
            weight = if step % 2 == 0 {
                weight * -0.9
            } else {
                weight.clone() * 0.9
            };
        }
    }
    Ok(())
}
