//! Linear layers, and packed weights.

use std::sync::Arc;

use bert_kernels::{
    Epilogue, LinearWeights, PackedWeight, WeightFormat, linear, linear_composed, linear_kv,
    linear_qkv,
};
use bert_testing::{TestDevice, Values, where_kernels_are, with_and_without_kernels};
use burn::tensor::Tensor;

use crate::common::{assert_same, three_maps, waves, with_gradients};

where_kernels_are!(
    linear_is_its_composed_body,
    a_packed_weight_is_never_out_of_date,
    nan_and_infinity_stay_in_their_row,
);

with_and_without_kernels!(
    linear_maps_of_one_input_are_each_of_them,
    a_linear_map_without_bias_adds_nothing,
);

/// Numbers of rows: one, few enough for threads to share columns, and enough for several tiles.
const ROWS: [usize; 3] = [1, 71, 300];

fn linear_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (k, columns) = (37, 101);
    for rows in ROWS {
        for epilogue in [Epilogue::Bias, Epilogue::BiasGelu] {
            let inputs = || {
                [
                    waves([rows, k], 0.0, &on),
                    waves([k, columns], 1.0, &on) * 0.2,
                    waves([1, columns], 2.0, &on),
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

fn linear_maps_of_one_input_are_each_of_them(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let (k, columns) = (37, 101);
    for rows in ROWS {
        let inputs = || three_maps([rows, k, columns], &on);
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
        let two = with_gradients(inputs(), |[x, w1, b1, w2, b2, w3, b3]| {
            let map = |(w, b)| LinearWeights::new(w, Some(flat(b)));
            let rest = linear(x.clone(), map((w3, b3)), Epilogue::Bias);
            let two = linear_kv(x, [(w1, b1), (w2, b2)].map(map)).into_separate();
            let [one, other] = two;
            Tensor::cat(vec![one, other, rest], 1)
        });
        assert_same(device, &format!("linear_kv, {rows} rows"), &two, &expected);
        assert_same(
            device,
            &format!("linear_qkv, {rows} rows"),
            &found,
            &expected,
        );
    }
    Ok(())
}

/// Even if the weight changes in between, in place or not.
fn a_packed_weight_is_never_out_of_date(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.plain().clone();
    let (k, columns) = (37, 101);
    let bias: Tensor<1> = waves([columns], 2.0, &on);
    // How far one output may be off, both operands being rounded: the sum of products of numbers below 2 and 0.4.
    let largest = k as f32 * 2.0 * 0.4;
    for (format, tolerance) in [
        (WeightFormat::F32, 0.0),
        (WeightFormat::Bf16, largest / 256.0),
        (WeightFormat::Int8, largest / 127.0),
    ] {
        let packed = Arc::new(PackedWeight::new(format));
        let mut weight: Tensor<2> = waves([k, columns], 1.0, &on) * 0.2;
        for step in 0..4 {
            for rows in ROWS {
                let x: Tensor<2> = waves([rows, k], 0.0, &on);
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

fn a_linear_map_without_bias_adds_nothing(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let inputs = || [waves([71, 37], 0.0, &on), waves([37, 101], 1.0, &on) * 0.2];
    let of = |bias: Option<Tensor<1>>| {
        with_gradients(inputs(), |[x, weight]| {
            linear(x, LinearWeights::new(weight, bias), Epilogue::BiasGelu)
        })
    };
    let zeros = Tensor::zeros([101], &on);
    assert_same(device, "linear without bias", &of(None), &of(Some(zeros)));
    Ok(())
}

fn nan_and_infinity_stay_in_their_row(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    for bad in [f32::NAN, f32::INFINITY] {
        let x = waves([4, 6], 0.0, &on).slice_fill([1..2, 2..3], bad);
        for epilogue in [Epilogue::Bias, Epilogue::BiasGelu] {
            let (weight, bias) = (waves([6, 5], 1.0, &on), Tensor::zeros([5], &on));
            let map = LinearWeights::new(weight, Some(bias));
            let y = Values::of(linear(x.clone(), map, epilogue));
            assert!(!y.rows(&[1]).are_finite(), "{bad} vanished in {epilogue:?}");
            assert!(y.rows(&[0, 2, 3]).are_finite(), "{bad} spread");
        }
    }
    Ok(())
}
