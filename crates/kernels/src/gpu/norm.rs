//! LayerNorm(residual + dropout(x)), a cube a row.

use burn::tensor::Shape;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::elementwise::{Dropping, column_sums, kept};
use super::launch::{UNITS, contiguous, cube_sum, each_row, like, of_shape};
use crate::gpu_ops::GpuNorm;

#[cube(launch)]
#[allow(
    clippy::too_many_arguments,
    reason = "a kernel is given tensors and numbers one by one"
)]
fn add_norm_kernel(
    x: &Tensor<f32>,
    residual: &Tensor<f32>,
    gamma: &Tensor<f32>,
    beta: &Tensor<f32>,
    seed: &Tensor<f32>,
    y: &mut Tensor<f32>,
    saved: &mut Tensor<f32>,
    rows: usize,
    width: usize,
    inverse_width: f32,
    epsilon: f32,
    threshold: u32,
    scale: f32,
    #[comptime] adds: bool,
    #[comptime] has_beta: bool,
    #[comptime] drops: bool,
    #[comptime] units: usize,
) {
    let row = CUBE_POS;
    if row < rows {
        let first = row * width;
        let mut sum = f32::new(0.0);
        let mut column = UNIT_POS as usize;
        while column < width {
            let at = first + column;
            let mut value = x[at];
            if comptime![drops] {
                value *= kept(at as u32, seed, threshold, scale);
            }
            if comptime![adds] {
                value += residual[at];
            }
            saved[at] = value;
            sum += value;
            column += units;
        }
        let mean = cube_sum(sum, units) * inverse_width;
        let mut squares = f32::new(0.0);
        let mut column = UNIT_POS as usize;
        while column < width {
            let difference = saved[first + column] - mean;
            squares += difference * difference;
            column += units;
        }
        let variance = cube_sum(squares, units) * inverse_width;
        let inverse_deviation = f32::new(1.0) / (variance + epsilon).sqrt();
        let mut column = UNIT_POS as usize;
        while column < width {
            let at = first + column;
            let normalized = (saved[at] - mean) * inverse_deviation;
            saved[at] = normalized;
            let mut scaled = normalized * gamma[column];
            if comptime![has_beta] {
                scaled += beta[column];
            }
            y[at] = scaled;
            column += units;
        }
        if UNIT_POS == 0 {
            saved[rows * width + row] = inverse_deviation;
        }
    }
}

/// The output, and what the backward pass needs: the normalised rows `[T, H]` and behind them 1 / deviation `[T]`.
pub(super) fn forward(
    [x, residual, gamma, beta, seed]: [CubeTensor; 5],
    params: GpuNorm,
) -> [CubeTensor; 2] {
    let x = contiguous(x);
    let width = gamma.meta.num_elements();
    let rows = x.meta.num_elements() / width;
    let y = like(&x);
    let saved = of_shape(&x, Shape::new([rows * (width + 1)]));
    let (cubes, units) = each_row(&x.client, rows);
    let dropping = Dropping::new(params.probability);
    add_norm_kernel::launch(
        &x.client.clone(),
        cubes,
        units,
        x.into_tensor_arg(),
        contiguous(residual).into_tensor_arg(),
        contiguous(gamma).into_tensor_arg(),
        contiguous(beta).into_tensor_arg(),
        contiguous(seed).into_tensor_arg(),
        y.clone().into_tensor_arg(),
        saved.clone().into_tensor_arg(),
        rows,
        width,
        (width as f32).recip(),
        params.epsilon as f32,
        dropping.threshold,
        dropping.scale,
        params.adds,
        params.has_beta,
        dropping.drops,
        UNITS as usize,
    );
    [y, saved]
}

#[cube(launch)]
#[allow(
    clippy::too_many_arguments,
    reason = "a kernel is given tensors and numbers one by one"
)]
fn add_norm_backward_kernel(
    saved: &Tensor<f32>,
    gamma: &Tensor<f32>,
    grad: &Tensor<f32>,
    seed: &Tensor<f32>,
    of_x: &mut Tensor<f32>,
    of_residual: &mut Tensor<f32>,
    rows: usize,
    width: usize,
    inverse_width: f32,
    threshold: u32,
    scale: f32,
    #[comptime] drops: bool,
    #[comptime] units: usize,
) {
    let row = CUBE_POS;
    if row < rows {
        let first = row * width;
        let mut sum = f32::new(0.0);
        let mut product = f32::new(0.0);
        let mut column = UNIT_POS as usize;
        while column < width {
            let at = first + column;
            let scaled = grad[at] * gamma[column];
            sum += scaled;
            product += scaled * saved[at];
            column += units;
        }
        let mean = cube_sum(sum, units) * inverse_width;
        let correlation = cube_sum(product, units) * inverse_width;
        let inverse_deviation = saved[rows * width + row];
        let mut column = UNIT_POS as usize;
        while column < width {
            let at = first + column;
            let centred = grad[at] * gamma[column] - mean - saved[at] * correlation;
            let gradient = centred * inverse_deviation;
            of_residual[at] = gradient;
            if comptime![drops] {
                of_x[at] = gradient * kept(at as u32, seed, threshold, scale);
            }
            column += units;
        }
    }
}

/// The gradients of x, residual, γ and β.
pub(super) fn backward(
    saved: CubeTensor,
    [gamma, grad, seed]: [CubeTensor; 3],
    params: GpuNorm,
) -> [CubeTensor; 4] {
    let (gamma, grad) = (contiguous(gamma), contiguous(grad));
    let width = gamma.meta.num_elements();
    let rows = grad.meta.num_elements() / width;
    let dropping = Dropping::new(params.probability);
    let of_residual = like(&grad);
    let of_x = match dropping.drops {
        true => like(&grad),
        false => of_residual.clone(),
    };
    let (cubes, units) = each_row(&grad.client, rows);
    add_norm_backward_kernel::launch(
        &grad.client.clone(),
        cubes,
        units,
        saved.clone().into_tensor_arg(),
        gamma.into_tensor_arg(),
        grad.clone().into_tensor_arg(),
        contiguous(seed).into_tensor_arg(),
        of_x.clone().into_tensor_arg(),
        of_residual.clone().into_tensor_arg(),
        rows,
        width,
        (width as f32).recip(),
        dropping.threshold,
        dropping.scale,
        dropping.drops,
        UNITS as usize,
    );
    let [of_beta, of_gamma] = column_sums(grad, Some(saved), width);
    [of_x, of_residual, of_gamma, of_beta]
}
