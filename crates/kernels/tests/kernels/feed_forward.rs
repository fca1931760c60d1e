//! A feed-forward network against its two linear layers.

use std::sync::Arc;

use bert_kernels::{
    Epilogue, LinearWeights, LowRankWeights, PackedWeight, Precision, WeightFormat, feed_forward,
    linear, linear_composed,
};
use bert_testing::{
    TestDevice, Values, assert_equal_bits, where_kernels_are, with_and_without_kernels,
};
use burn::tensor::{Device, Tensor};

use crate::common::{assert_same_at_scales, row, waves, with_gradients};

where_kernels_are!(
    in_single_precision_it_is_its_two_maps_bit_for_bit,
    in_bfloat16_its_output_is_that_of_its_two_maps_bit_for_bit,
    in_bfloat16_its_gradients_are_those_of_its_two_maps,
    packed_weights_change_no_bit,
    only_what_is_wanted_is_computed,
    nan_and_infinity_stay_in_their_row,
);

with_and_without_kernels!(it_is_its_composed_body, maps_of_two_kinds_are_two_calls,);

/// T, K, I, N: one row; few rows, for which threads share columns; several tiles; more than one block of terms.
const SIZES: [[usize; 4]; 4] = [
    [1, 37, 101, 5],
    [71, 37, 64, 13],
    [300, 64, 37, 31],
    [500, 13, 401, 37],
];

/// x, W₁, b₁, W₂, b₂.
fn inputs([rows, input, inner, output]: [usize; 4], on: &Device) -> [Tensor<2>; 5] {
    [
        waves([rows, input], 0.0, on),
        waves([input, inner], 1.0, on) * 0.2,
        waves([1, inner], 2.0, on),
        waves([inner, output], 3.0, on) * 0.2,
        waves([1, output], 4.0, on),
    ]
}

fn maps(weights: [Tensor<2>; 4], precision: Precision) -> [LinearWeights; 2] {
    let [w1, b1, w2, b2] = weights;
    [(w1, b1), (w2, b2)].map(|(weight, bias)| LinearWeights {
        precision,
        ..LinearWeights::new(weight, Some(row(bias)))
    })
}

fn as_two_maps(x: Tensor<2>, [first, second]: [LinearWeights; 2]) -> Tensor<2> {
    linear(linear(x, first, Epilogue::BiasGelu), second, Epilogue::Bias)
}

/// The output and all gradients, of one call and of two.
fn both(sizes: [usize; 4], precision: Precision, on: &Device) -> [Vec<Values>; 2] {
    let together = with_gradients(inputs(sizes, on), |[x, weights @ ..]| {
        let [first, second] = maps(weights, precision);
        feed_forward(x, first, second)
    });
    let one_by_one = with_gradients(inputs(sizes, on), |[x, weights @ ..]| {
        as_two_maps(x, maps(weights, precision))
    });
    [together, one_by_one]
}

fn it_is_its_composed_body(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    for sizes in SIZES {
        let [found, _] = both(sizes, Precision::F32, &on);
        let expected = with_gradients(inputs(sizes, &on), |[x, w1, b1, w2, b2]| {
            let inner = linear_composed(x, w1, Some(row(b1)), Epilogue::BiasGelu);
            linear_composed(inner, w2, Some(row(b2)), Epilogue::Bias)
        });
        let [rows, .., output] = sizes;
        let grad = waves([rows, output], 0.4, &on).abs();
        let of_bias: f32 = grad.sum_dim(0).max().into_scalar();
        let scales = [(5, f64::from(of_bias))];
        assert_same_at_scales(device, &format!("{sizes:?}"), &found, &expected, &scales);
    }
    Ok(())
}

/// An adapter beside one of the maps, and a precision of its own.
fn maps_of_two_kinds_are_two_calls(device: &TestDevice) -> anyhow::Result<()> {
    let sizes = SIZES[1];
    let [x, weights @ ..] = inputs(sizes, device.plain());
    let plain = maps(weights, Precision::F32);
    let adapter = |weight: &Tensor<2>| {
        let [rows, columns] = weight.dims();
        LowRankWeights {
            down: waves([rows, 3], 5.0, device.plain()),
            up: waves([3, columns], 6.0, device.plain()),
            scale: 0.5,
            magnitude: None,
            dropout: 0.0,
        }
    };
    for different in 0..2 {
        let mut with_adapter = plain.clone();
        with_adapter[different].low_rank = Some(adapter(&plain[different].weight));
        let mut rounded = plain.clone();
        rounded[different].precision = Precision::Bf16;
        for (name, maps) in [("adapter", with_adapter), ("precision", rounded)] {
            let expected = Values::of(as_two_maps(x.clone(), maps.clone()));
            let [first, second] = maps;
            let found = Values::of(feed_forward(x.clone(), first, second));
            assert_equal_bits(
                device,
                &format!("{name} of map {different}"),
                &found,
                &expected,
            );
        }
    }
    Ok(())
}

fn in_single_precision_it_is_its_two_maps_bit_for_bit(device: &TestDevice) -> anyhow::Result<()> {
    for sizes in SIZES {
        let [found, expected] = both(sizes, Precision::F32, &device.autodiff());
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found.bits(), expected.bits(), "{sizes:?}, {index}");
        }
        let [x, weights @ ..] = inputs(sizes, device.plain());
        let [first, second] = maps(weights, Precision::F32);
        let plain = Values::of(feed_forward(x, first, second));
        assert_eq!(plain.bits(), expected[0].bits(), "without gradients");
    }
    Ok(())
}

fn in_bfloat16_its_output_is_that_of_its_two_maps_bit_for_bit(
    device: &TestDevice,
) -> anyhow::Result<()> {
    for sizes in SIZES {
        let [found, expected] = both(sizes, Precision::Bf16, &device.autodiff());
        assert_eq!(found[0].bits(), expected[0].bits(), "{sizes:?}");
        let [single, _] = both(sizes, Precision::F32, &device.autodiff());
        assert_ne!(
            found[0].bits(),
            single[0].bits(),
            "something is rounded, {sizes:?}"
        );
    }
    Ok(())
}

/// The two differ in roundings alone: that of the gradient between the maps, and of GELU's input before GELU is taken again. Each
/// term of a sum is up to 2⁻⁷ of itself off, without a bias, so that a sum of n terms is as far off as √n of the largest.
fn in_bfloat16_its_gradients_are_those_of_its_two_maps(device: &TestDevice) -> anyhow::Result<()> {
    for sizes @ [rows, _, inner, output] in SIZES {
        let [found, expected] = both(sizes, Precision::Bf16, &device.autodiff());
        let terms = [0, output + inner, output + rows, output + rows, rows, rows];
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let bound = 2e-6 * expected.largest() + (terms[index] as f64).sqrt() * 4.0 / 128.0;
            for (found, expected) in found.values.iter().zip(&expected.values) {
                let difference = f64::from((found - expected).abs());
                assert!(difference <= bound, "{sizes:?}, {index}: {difference} off");
            }
        }
    }
    Ok(())
}

fn packed_weights_change_no_bit(device: &TestDevice) -> anyhow::Result<()> {
    for format in [WeightFormat::F32, WeightFormat::Bf16, WeightFormat::Int8] {
        for sizes in SIZES {
            let [x, weights @ ..] = inputs(sizes, device.plain());
            let maps = maps(weights, Precision::F32).map(|map| LinearWeights {
                packed: Some(Arc::new(PackedWeight::new(format))),
                ..map
            });
            let [first, second] = maps.clone();
            let found = Values::of(feed_forward(x.clone(), first, second));
            let expected = Values::of(as_two_maps(x, maps));
            assert_eq!(found.bits(), expected.bits(), "{format:?}, {sizes:?}");
        }
    }
    Ok(())
}

/// With every choice of inputs that want a gradient, each gradient is that with all of them.
fn only_what_is_wanted_is_computed(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    for precision in [Precision::F32, Precision::Bf16] {
        let gradients = |choice: u8| {
            let mut index = 0..;
            let inputs = inputs([71, 37, 101, 13], &on).map(|input| {
                let at = index.next().unwrap_or(0);
                input.set_require_grad(choice >> at & 1 == 1)
            });
            let [x, weights @ ..] = inputs.clone();
            let [first, second] = maps(weights, precision);
            let y = feed_forward(x, first, second);
            let gradients = (y.clone() * waves(y.dims(), 0.4, &on)).sum().backward();
            inputs.map(|input| input.grad(&gradients).map(Values::of))
        };
        let all = gradients(0b1_1111);
        for choice in 1..0b1_1111 {
            for (input, (found, all)) in gradients(choice).iter().zip(&all).enumerate() {
                let expected = all.as_ref().filter(|_| choice >> input & 1 == 1);
                assert_eq!(found.as_ref(), expected, "{precision}, {choice:b}, {input}");
            }
        }
    }
    Ok(())
}

fn nan_and_infinity_stay_in_their_row(device: &TestDevice) -> anyhow::Result<()> {
    for bad in [f32::NAN, f32::INFINITY] {
        for precision in [Precision::F32, Precision::Bf16] {
            let [x, weights @ ..] = inputs([300, 6, 5, 7], &device.autodiff());
            let x = x.slice_fill([1..2, 2..3], bad);
            let [first, second] = maps(weights, precision);
            let y = Values::of(feed_forward(x, first, second));
            assert!(!y.rows(&[1]).are_finite(), "{bad} vanished in {precision}");
            assert!(y.rows(&[0, 2, 299]).are_finite(), "{bad} spread");
        }
    }
    Ok(())
}
