//! Gradients against central differences in double precision, at shapes that proptest draws.
//!
//! A function runs on the device in single precision. The differences are those of the same function on flex in double
//! precision, where operations are their composed bodies: they have kernels for single precision alone.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::operation::integers;
use crate::{Backend, Quantity, TestDevice, Values, assert_close_at_scale};

/// The step of a difference. Its error is a sixth of the third derivative times its square, and 10⁻¹⁶ of the value over it:
/// both are far below the rounding of single precision.
const STEP: f64 = 1e-4;
/// Where tensors are made: a device, and the type of their elements.
#[derive(Debug, Clone)]
pub struct Place {
    device: Device,
    dtype: DType,
}

impl Place {
    /// A tensor of these values.
    pub fn tensor<const D: usize>(&self, values: &[f64], shape: [usize; D]) -> Tensor<D> {
        let data = TensorData::new(values.to_vec(), shape);
        Tensor::from_data(data, (&self.device, self.dtype))
    }

    /// Integers, which have no gradient.
    pub fn integers(&self, values: &[i64]) -> Tensor<1, Int> {
        integers(values, &self.device)
    }
}

/// Numbers in (−1, 1) without a pattern that single precision holds exactly.
pub fn numbers(count: usize, phase: f64) -> Vec<f64> {
    let number = |index: usize| (index as f64).mul_add(0.731, phase).sin() as f32;
    (0..count).map(|index| f64::from(number(index))).collect()
}

/// `Σ w ∘ y`, w without a pattern.
fn weighted(y: Tensor<2>, place: &Place) -> Tensor<1> {
    let shape = y.dims();
    let weights = place.tensor(&numbers(shape[0] * shape[1], 0.4), shape);
    (y * weights).sum()
}

/// Holds the gradient of each input of this shape against the difference along one direction in all of its elements.
///
/// # Panics
/// They differ by more than the tolerance of [`Quantity::FiniteDifference`].
pub fn check<const N: usize>(
    device: &TestDevice,
    name: &str,
    shapes: [[usize; 2]; N],
    f: impl Fn([Tensor<2>; N], &Place) -> Tensor<2>,
) {
    let mut phase = 0.0;
    let inputs = shapes.map(|[rows, columns]| {
        phase += 1.0;
        numbers(rows * columns, phase)
    });
    let tensors = |values: &[Vec<f64>; N], place: &Place| {
        let mut shapes = shapes.into_iter();
        values
            .each_ref()
            .map(|values| place.tensor(values, shapes.next().unwrap_or_default()))
    };
    let place = Place {
        device: device.autodiff(),
        dtype: DType::F32,
    };
    let single = tensors(&inputs, &place).map(Tensor::require_grad);
    let gradients = weighted(f(single.clone(), &place), &place).backward();

    let flex = TestDevice::open(Backend::Flex).expect("flex needs no driver");
    let double = Place {
        device: flex.plain().clone(),
        dtype: DType::F64,
    };
    let loss = |inputs: &[Vec<f64>; N]| -> f64 {
        let y = f(tensors(inputs, &double), &double);
        weighted(y, &double).into_data().iter::<f64>().sum()
    };
    for (index, input) in single.iter().enumerate() {
        let gradient = input.grad(&gradients).expect("every input wants one");
        let gradient: Vec<f64> = gradient.into_data().iter::<f64>().collect();
        let direction = numbers(gradient.len(), 0.7);
        let moved = |step: f64| {
            let mut inputs = inputs.clone();
            for (x, along) in inputs[index].iter_mut().zip(&direction) {
                *x += step * along;
            }
            loss(&inputs)
        };
        let expected = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        let products = || gradient.iter().zip(&direction).map(|(g, along)| g * along);
        let scale = products().map(f64::abs).sum::<f64>().max(expected.abs());
        let number = |value: f64| Values {
            shape: vec![1],
            values: vec![value as f32],
        };
        let name = format!("{name}, input {index}");
        let (found, expected) = (number(products().sum()), number(expected));
        let quantity = Quantity::FiniteDifference;
        assert_close_at_scale(device, quantity, scale, &name, &found, &expected);
    }
}

/// Runs a test at shapes of a strategy: fewer on a GPU, which compiles kernels for each.
///
/// # Errors
/// The shape that failed, as proptest words it.
pub fn at_shapes<S: Strategy>(
    device: &TestDevice,
    strategy: S,
    test: impl Fn(S::Value),
) -> anyhow::Result<()> {
    let config = Config {
        cases: if device.backend() == Backend::Wgpu {
            2
        } else {
            12
        },
        failure_persistence: None,
        ..Config::default()
    };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, random)
        .run(&strategy, |shape| {
            test(shape);
            Ok(())
        })
        .map_err(|error| anyhow::anyhow!("{error}"))
}
