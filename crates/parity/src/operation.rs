//! Differentiable operations: their inputs, their outputs and their gradients.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{Comparisons, Quantity, Values};

/// Numbers in (−2, 2) without a pattern.
pub fn waves<const D: usize>(shape: [usize; D], phase: f32, device: &Device) -> Tensor<D> {
    let count = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..count)
        .map(|index| 2.0 * (index as f32 * 0.731 + phase).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// `[T]`.
pub fn integers(values: &[i64], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// `[1, H]` → `[H]`.
pub fn row(x: Tensor<2>) -> Tensor<1> {
    x.squeeze_dim::<1>(0)
}

/// The output, and the gradients of the inputs under a weighted sum.
pub fn with_gradients<const N: usize>(
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

/// Holds an output and gradients against others. Where the gradients of some inputs are sums whose terms cancel, `scales` has
/// the index of such an input, and the sum of its terms' magnitudes, which the rounding of the sum is proportional to.
pub fn same(
    comparisons: &mut Comparisons,
    name: &str,
    found: &[Values],
    expected: &[Values],
    scales: &[(usize, f64)],
) {
    let counts = format!("{} results, expected {}", found.len(), expected.len());
    comparisons.holds(name, found.len() == expected.len(), &counts);
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
        comparisons.values_at_scale(quantity, scale, &name, found, expected);
    }
}
