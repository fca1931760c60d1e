//! GELU of the first half of each row times the second half. T rows, I columns of a half.

use super::buffer::filled;
use super::math::gelu_and_slope;
use super::simd::vectorized;

/// `[T, 2 · I]` → `[T, I]`.
pub(crate) fn forward(x: &[f32], width: usize) -> Vec<f32> {
    filled(x.len() / 2, width, |row, places| {
        let (input, gate) = halves(x, row, width);
        let y = places.write_copy_of_slice(input);
        vectorized(
            #[inline(always)]
            || {
                for (y, gate) in y.iter_mut().zip(gate) {
                    *y = gelu_and_slope(*y).0 * gate;
                }
            },
        );
        y
    })
}

/// The gradient `[T, 2 · I]` of the input.
pub(crate) fn backward(x: &[f32], grad: &[f32], width: usize) -> Vec<f32> {
    filled(x.len(), 2 * width, |row, places| {
        let (input, gate) = halves(x, row, width);
        let out = places.write_copy_of_slice(&x[2 * row * width..2 * (row + 1) * width]);
        let grad = &grad[row * width..(row + 1) * width];
        vectorized(
            #[inline(always)]
            || {
                let (of_input, of_gate) = out.split_at_mut(width);
                let outs = of_input.iter_mut().zip(of_gate).zip(grad);
                for (((of_input, of_gate), grad), (&input, gate)) in
                    outs.zip(input.iter().zip(gate))
                {
                    let (gelu, slope) = gelu_and_slope(input);
                    *of_input = grad * gate * slope;
                    *of_gate = grad * gelu;
                }
            },
        );
        out
    })
}

fn halves(x: &[f32], row: usize, width: usize) -> (&[f32], &[f32]) {
    x[2 * row * width..2 * (row + 1) * width].split_at(width)
}
