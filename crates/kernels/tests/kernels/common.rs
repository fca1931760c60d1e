//! What the tests of the operations share.

use bert_kernels::{DropoutMask, dropout};
use bert_testing::{Quantity, TestDevice, Values, assert_close_at_scale};
use burn::tensor::{Device, Int, Tensor, TensorData};

pub(crate) const MASKS: [DropoutMask; 2] = [
    DropoutMask::NONE,
    DropoutMask {
        probability: 0.3,
        seed: 0x1234_5678_9abc,
    },
];

/// Numbers in (−2, 2) without a pattern.
pub(crate) fn waves<const D: usize>(shape: [usize; D], phase: f32, device: &Device) -> Tensor<D> {
    let count = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..count)
        .map(|index| 2.0 * (index as f32 * 0.731 + phase).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// x `[T, K]`, and the weights `[K, N]` and biases `[1, N]` of three maps: x, W₁, b₁, W₂, b₂, W₃, b₃.
pub(crate) fn three_maps([rows, k, columns]: [usize; 3], on: &Device) -> [Tensor<2>; 7] {
    let weight = |phase| waves([k, columns], phase, on) * 0.2;
    let bias = |phase| waves([1, columns], phase, on);
    [
        waves([rows, k], 0.0, on),
        weight(1.0),
        bias(2.0),
        weight(3.0),
        bias(4.0),
        weight(5.0),
        bias(6.0),
    ]
}

/// The nearest bfloat16, ties to even.
pub(crate) fn rounded(x: f32) -> f32 {
    let bits = x.to_bits();
    let even = bits >> 16 & 1;
    f32::from_bits((bits + 0x7fff + even) & 0xffff_0000)
}

/// `[T]`.
pub(crate) fn integers(values: &[i64], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// `[1, H]` → `[H]`.
pub(crate) fn row(x: Tensor<2>) -> Tensor<1> {
    x.squeeze_dim::<1>(0)
}

/// What the mask multiplies a tensor of this shape by.
pub(crate) fn kept<const D: usize>(
    shape: [usize; D],
    mask: DropoutMask,
    device: &Device,
) -> Tensor<D> {
    dropout(Tensor::ones(shape, device), mask)
}

/// The output, and the gradients of the inputs under a weighted sum.
pub(crate) fn with_gradients<const N: usize>(
    inputs: [Tensor<2>; N],
    f: impl FnOnce([Tensor<2>; N]) -> Tensor<2>,
) -> Vec<Values> {
    let inputs = inputs.map(Tensor::require_grad);
    let y = f(inputs.clone());
    let weights = waves(y.dims(), 0.4, &y.device());
    let gradients = (y.clone() * weights).sum().backward();
    let gradient = |input: &Tensor<2>| {
        let gradient = input.grad(&gradients);
        Values::of(gradient.expect("every input requires a gradient"))
    };
    let mut all = vec![Values::of(y)];
    all.extend(inputs.iter().map(gradient));
    all
}

/// Holds an output and gradients against others.
pub(crate) fn assert_same(device: &TestDevice, name: &str, found: &[Values], expected: &[Values]) {
    assert_same_at_scales(device, name, found, expected, &[]);
}

/// The same, where the gradients of some inputs are sums whose terms cancel: `scales` has the index of such an input, and the
/// sum of its terms' magnitudes, which the rounding of the sum is proportional to.
pub(crate) fn assert_same_at_scales(
    device: &TestDevice,
    name: &str,
    found: &[Values],
    expected: &[Values],
    scales: &[(usize, f64)],
) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let (quantity, what) = match index {
            0 => (Quantity::FusedForward, "output".to_owned()),
            input => (
                Quantity::FusedBackward,
                format!("gradient of input {input}"),
            ),
        };
        let name = format!("{name}, {what}");
        let of_input = scales.iter().find(|(input, _)| *input == index);
        let scale = of_input.map_or(expected.largest(), |(_, scale)| *scale);
        assert_close_at_scale(device, quantity, scale, &name, found, expected);
    }
}
