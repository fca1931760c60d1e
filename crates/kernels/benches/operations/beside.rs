//! The frame around one operation and its composed body.

use burn::tensor::{Device, Distribution, Tensor};
use divan::Bencher;

/// A module of benchmarks: `kernel` and `composed`, each `forward` and, unless there is none, `with_backward`. Both closures
/// take tensors of the given shapes and return one of two dimensions.
macro_rules! beside {
    ($name:ident $shapes:tt forward only kernel $kernel:expr; composed $composed:expr) => {
        mod $name {
            use super::*;

            #[divan::bench]
            fn kernel_forward(bencher: divan::Bencher<'_, '_>) {
                crate::beside::forward(bencher, $shapes, $kernel);
            }

            #[divan::bench]
            fn composed_forward(bencher: divan::Bencher<'_, '_>) {
                crate::beside::forward(bencher, $shapes, $composed);
            }
        }
    };
    ($name:ident $shapes:tt kernel $kernel:expr; composed $composed:expr) => {
        mod $name {
            use super::*;

            #[divan::bench]
            fn kernel_forward(bencher: divan::Bencher<'_, '_>) {
                crate::beside::forward(bencher, $shapes, $kernel);
            }

            #[divan::bench]
            fn composed_forward(bencher: divan::Bencher<'_, '_>) {
                crate::beside::forward(bencher, $shapes, $composed);
            }

            #[divan::bench]
            fn kernel_with_backward(bencher: divan::Bencher<'_, '_>) {
                crate::beside::with_backward(bencher, $shapes, $kernel);
            }

            #[divan::bench]
            fn composed_with_backward(bencher: divan::Bencher<'_, '_>) {
                crate::beside::with_backward(bencher, $shapes, $composed);
            }
        }
    };
}
pub(crate) use beside;

/// Times an operation without autodiff.
pub(crate) fn forward<const K: usize>(
    bencher: Bencher<'_, '_>,
    shapes: [[usize; 2]; K],
    operation: impl Fn([Tensor<2>; K]) -> Tensor<2>,
) {
    let inputs = random(shapes, &Device::flex());
    bencher.bench_local(|| operation(inputs.clone()));
}

/// Times an operation and the gradients of all its inputs.
pub(crate) fn with_backward<const K: usize>(
    bencher: Bencher<'_, '_>,
    shapes: [[usize; 2]; K],
    operation: impl Fn([Tensor<2>; K]) -> Tensor<2>,
) {
    let inputs = random(shapes, &Device::flex().autodiff()).map(Tensor::require_grad);
    bencher.bench_local(|| operation(inputs.clone()).sum().backward());
}

fn random<const K: usize>(shapes: [[usize; 2]; K], device: &Device) -> [Tensor<2>; K] {
    device.seed(42);
    shapes.map(|shape| Tensor::random(shape, Distribution::Normal(0.0, 1.0), device))
}
