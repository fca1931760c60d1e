//! Linear layers in bfloat16 against plain sums over operands of the same rounding.

use bert_kernels::{
    Epilogue, LinearWeights, LowRankWeights, Precision, gelu_composed, linear, linear_kv,
    linear_qkv,
};
use bert_testing::{TestDevice, Values, where_kernels_are};
use burn::tensor::{Device, Tensor};

use crate::common::{self, row, three_maps, waves, with_gradients};

where_kernels_are!(
    products_are_those_of_rounded_operands,
    maps_of_one_input_are_each_of_them,
    the_activation_is_that_of_the_sums,
    only_what_is_wanted_is_computed,
    nan_and_infinity_stay_visible,
    an_adapter_is_merged_before_the_rounding,
);

/// T, K, N: one row, sizes that no register divides, odd and even numbers of terms, more than one block of them.
const SIZES: [[usize; 3]; 5] = [
    [1, 37, 101],
    [2, 1, 1],
    [71, 37, 64],
    [300, 64, 37],
    [500, 401, 37],
];

fn rounded(x: f32) -> f64 {
    f64::from(common::rounded(x))
}

fn host(x: Tensor<2>) -> Vec<f32> {
    x.into_data().iter::<f32>().collect()
}

/// Sums of terms, and how far off a sum of single precision may be: a rounding for each term, of a partial sum that is at most
/// the sum of the magnitudes. An instruction that adds two products at a time rounds twice.
struct Sums {
    values: Vec<f64>,
    bounds: Vec<f64>,
}

impl Sums {
    /// `term(row, column, k)`.
    fn of([rows, columns, terms]: [usize; 3], term: impl Fn(usize, usize, usize) -> f64) -> Self {
        let (mut values, mut bounds) = (Vec::new(), Vec::new());
        for row in 0..rows {
            for column in 0..columns {
                let all = || (0..terms).map(|k| term(row, column, k));
                let magnitude: f64 = all().map(f64::abs).sum();
                values.push(all().sum());
                bounds.push((terms + 2) as f64 * f64::from(f32::EPSILON) * magnitude);
            }
        }
        Self { values, bounds }
    }

    fn assert_near(&self, name: &str, found: &Values) {
        assert_eq!(found.values.len(), self.values.len(), "{name}");
        let expected = self.values.iter().zip(&self.bounds);
        for (index, (found, (expected, bound))) in found.values.iter().zip(expected).enumerate() {
            let difference = (f64::from(*found) - expected).abs();
            assert!(
                difference <= *bound,
                "{name}, element {index}: {found}, not {expected}; {difference:.1e} above {bound:.1e}"
            );
        }
    }
}

fn in_bf16(weight: Tensor<2>, bias: Tensor<2>) -> LinearWeights {
    LinearWeights {
        precision: Precision::Bf16,
        ..LinearWeights::new(weight, Some(row(bias)))
    }
}

/// x, W, b.
fn inputs([rows, k, columns]: [usize; 3], on: &Device) -> [Tensor<2>; 3] {
    [
        waves([rows, k], 0.0, on),
        waves([k, columns], 1.0, on) * 0.2,
        waves([1, columns], 2.0, on),
    ]
}

fn products_are_those_of_rounded_operands(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    for sizes @ [rows, k, columns] in SIZES {
        let found = with_gradients(inputs(sizes, &on), |[x, weight, bias]| {
            linear(x, in_bf16(weight, bias), Epilogue::Bias)
        });
        let [x, weight, bias] = inputs(sizes, &on).map(host);
        let grad = host(waves([rows, columns], 0.4, &on));
        let y = Sums::of([rows, columns, k + 1], |t, n, i| match i < k {
            true => rounded(x[t * k + i]) * rounded(weight[i * columns + n]),
            false => f64::from(bias[n]),
        });
        let of_x = Sums::of([rows, k, columns], |t, i, n| {
            rounded(grad[t * columns + n]) * rounded(weight[i * columns + n])
        });
        let of_weight = Sums::of([k, columns, rows], |i, n, t| {
            rounded(x[t * k + i]) * rounded(grad[t * columns + n])
        });
        let of_bias = Sums::of([1, columns, rows], |_, n, t| {
            f64::from(grad[t * columns + n])
        });
        let expected = [y, of_x, of_weight, of_bias];
        let names = ["output", "gradient of x", "gradient of W", "gradient of b"];
        for ((name, expected), found) in names.into_iter().zip(expected).zip(&found) {
            expected.assert_near(&format!("{name}, {sizes:?}"), found);
        }
        let [x, weight, bias] = inputs(sizes, device.plain());
        let plain = Values::of(linear(x, in_bf16(weight, bias), Epilogue::Bias));
        assert_eq!(plain.values, found[0].values, "without gradients");
    }
    Ok(())
}

/// Bit for bit but for the gradient of x, which one product sums over all maps.
fn maps_of_one_input_are_each_of_them(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    for [rows, k, columns] in SIZES {
        let inputs = || three_maps([rows, k, columns], &on);
        let three = with_gradients(inputs(), |[x, w1, b1, w2, b2, w3, b3]| {
            let maps = [(w1, b1), (w2, b2), (w3, b3)];
            linear_qkv(x, maps.map(|(w, b)| in_bf16(w, b))).into_joined()
        });
        let two = with_gradients(inputs(), |[x, w1, b1, w2, b2, w3, b3]| {
            let last = linear(x.clone(), in_bf16(w3, b3), Epilogue::Bias);
            let [one, other] =
                linear_kv(x, [(w1, b1), (w2, b2)].map(|(w, b)| in_bf16(w, b))).into_separate();
            Tensor::cat(vec![one, other, last], 1)
        });
        let each = with_gradients(inputs(), |[x, w1, b1, w2, b2, w3, b3]| {
            let maps = [(w1, b1), (w2, b2), (w3, b3)];
            let output = |(w, b)| linear(x.clone(), in_bf16(w, b), Epilogue::Bias);
            Tensor::cat(maps.map(output).to_vec(), 1)
        });
        for found in [three, two] {
            for (index, (found, expected)) in found.iter().zip(&each).enumerate() {
                let scale = expected.largest() * (3 * columns) as f64;
                let bound = match index {
                    1 => f64::from(f32::EPSILON) * scale,
                    _ => 0.0,
                };
                let pairs = found.values.iter().zip(&expected.values);
                for (found, expected) in pairs {
                    let difference = f64::from((found - expected).abs());
                    assert!(difference <= bound, "{index}: {difference:.1e} off");
                }
            }
        }
    }
    Ok(())
}

/// The slope is rounded, and then its product with the gradient: terms below 4 are up to 2⁻⁷ off, without a bias, so that a
/// sum of n of them is as far off as √n.
fn the_activation_is_that_of_the_sums(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    for sizes @ [rows, _, columns] in SIZES {
        let activated = |epilogue| {
            with_gradients(inputs(sizes, &on), |[x, weight, bias]| {
                let y = linear(x, in_bf16(weight, bias), epilogue);
                match epilogue {
                    Epilogue::Bias => gelu_composed(y),
                    Epilogue::BiasGelu => y,
                }
            })
        };
        let (found, expected) = (activated(Epilogue::BiasGelu), activated(Epilogue::Bias));
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let terms = [0, columns, rows, rows][index] as f64;
            let bound = 2e-6 * expected.largest() + terms.sqrt() * 4.0 / 128.0;
            for (found, expected) in found.values.iter().zip(&expected.values) {
                let difference = f64::from((found - expected).abs());
                assert!(difference <= bound, "{sizes:?}, {index}: {difference} off");
            }
        }
    }
    Ok(())
}

/// With every choice of inputs that want a gradient, each gradient is that with all of them.
fn only_what_is_wanted_is_computed(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let sizes = [71, 37, 101];
    for epilogue in [Epilogue::Bias, Epilogue::BiasGelu] {
        let gradients = |wanted: [bool; 3]| {
            let mut wanted = wanted.into_iter();
            let inputs = inputs(sizes, &on)
                .map(|input| input.set_require_grad(wanted.next().unwrap_or(false)));
            let [x, weight, bias] = inputs.clone();
            let y = linear(x, in_bf16(weight, bias), epilogue);
            let gradients = (y.clone() * waves(y.dims(), 0.4, &on)).sum().backward();
            inputs.map(|input| input.grad(&gradients).map(Values::of))
        };
        let all = gradients([true; 3]);
        for choice in 1..8_u8 {
            let wanted = [0, 1, 2].map(|input| choice >> input & 1 == 1);
            let found = gradients(wanted);
            for ((found, all), wanted) in found.iter().zip(&all).zip(wanted) {
                let expected = all.as_ref().filter(|_| wanted);
                assert_eq!(found.as_ref(), expected, "{epilogue:?}, {choice}");
            }
        }
    }
    Ok(())
}

fn nan_and_infinity_stay_visible(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    for bad in [f32::NAN, f32::INFINITY, f32::MAX] {
        for epilogue in [Epilogue::Bias, Epilogue::BiasGelu] {
            let [x, weight, bias] = inputs([4, 6, 5], &on);
            let x = x.slice_fill([1..2, 2..3], bad);
            let found = with_gradients([x, weight, bias], |[x, weight, bias]| {
                linear(x, in_bf16(weight, bias), epilogue)
            });
            assert!(!found[0].rows(&[1]).are_finite(), "{bad} vanished");
            assert!(found[0].rows(&[0, 2, 3]).are_finite(), "{bad} spread");
            assert!(!found[2].are_finite(), "{bad} vanished from the gradient");
        }
    }
    Ok(())
}

/// The map is that of the merged weight, and the adapter's own gradients have single precision.
fn an_adapter_is_merged_before_the_rounding(device: &TestDevice) -> anyhow::Result<()> {
    let on = device.autodiff();
    let [rows, k, columns] = [71, 37, 64];
    let rank = 3;
    let [x, weight, bias] = inputs([rows, k, columns], &on);
    let (down, up) = (
        waves([k, rank], 3.0, &on) * 0.3,
        waves([rank, columns], 4.0, &on) * 0.3,
    );
    let adapted = |low_rank: Option<LowRankWeights>, weight: Tensor<2>| {
        let map = LinearWeights {
            low_rank,
            ..in_bf16(weight, bias.clone())
        };
        linear(x.clone(), map, Epilogue::BiasGelu)
    };
    let adapter = LowRankWeights {
        down: down.clone().require_grad(),
        up: up.clone().require_grad(),
        scale: 0.5,
        magnitude: None,
        dropout: 0.0,
    };
    let merged = adapted(None, weight.clone() + down.matmul(up) * 0.5);
    let found = adapted(Some(adapter.clone()), weight);
    let difference: f32 = (found.clone() - merged).abs().max().into_scalar();
    assert!(difference <= 1e-5, "{difference} off");
    let gradients = found.sum().backward();
    assert!(adapter.down.grad(&gradients).is_some());
    assert!(adapter.up.grad(&gradients).is_some());
    Ok(())
}
