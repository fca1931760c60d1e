//! dropout(softmax(scale · scores + mask)), a cube a row.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::elementwise::{Dropping, kept};
use super::launch::{UNITS, contiguous, cube_max, cube_sum, each_row, like};
use crate::gpu_ops::GpuSoftmax;

#[cube(launch)]
#[allow(
    clippy::too_many_arguments,
    reason = "a kernel is given tensors and numbers one by one"
)]
fn softmax_kernel(
    scores: &Tensor<f32>,
    mask: &Tensor<f32>,
    seed: &Tensor<f32>,
    probabilities: &mut Tensor<f32>,
    dropped: &mut Tensor<f32>,
    rows: usize,
    width: usize,
    rows_of_batch: usize,
    queries: usize,
    mask_of_batch: usize,
    mask_of_query: usize,
    scale: f32,
    lowest: f32,
    threshold: u32,
    kept_scale: f32,
    #[comptime] masks: bool,
    #[comptime] drops: bool,
    #[comptime] units: usize,
) {
    let row = CUBE_POS;
    if row < rows {
        let first = row * width;
        let first_of_mask = (row / rows_of_batch) * mask_of_batch + (row % queries) * mask_of_query;
        let mut highest = lowest;
        let mut column = UNIT_POS as usize;
        while column < width {
            let mut score = scores[first + column] * scale;
            if comptime![masks] {
                score += mask[first_of_mask + column];
            }
            probabilities[first + column] = score;
            highest = max(highest, score);
            column += units;
        }
        let highest = cube_max(highest, units);
        let mut sum = f32::new(0.0);
        let mut column = UNIT_POS as usize;
        while column < width {
            let power = (probabilities[first + column] - highest).exp();
            probabilities[first + column] = power;
            sum += power;
            column += units;
        }
        let inverse = f32::new(1.0) / cube_sum(sum, units);
        let mut column = UNIT_POS as usize;
        while column < width {
            let at = first + column;
            let probability = probabilities[at] * inverse;
            probabilities[at] = probability;
            if comptime![drops] {
                dropped[at] = probability * kept(at as u32, seed, threshold, kept_scale);
            }
            column += units;
        }
    }
}

/// The probabilities after dropout, and those before it.
pub(super) fn forward(
    [scores, mask, seed]: [CubeTensor; 3],
    params: GpuSoftmax,
) -> [CubeTensor; 2] {
    let scores = contiguous(scores);
    let [batch, heads, queries, width] = params.shape;
    let rows = batch * heads * queries;
    let probabilities = like(&scores);
    let dropping = Dropping::new(params.probability);
    let dropped = match dropping.drops {
        true => like(&scores),
        false => probabilities.clone(),
    };
    let (cubes, units) = each_row(&scores.client, rows);
    softmax_kernel::launch(
        &scores.client.clone(),
        cubes,
        units,
        scores.into_tensor_arg(),
        contiguous(mask).into_tensor_arg(),
        contiguous(seed).into_tensor_arg(),
        probabilities.clone().into_tensor_arg(),
        dropped.clone().into_tensor_arg(),
        rows,
        width,
        heads * queries,
        queries,
        params.mask_strides[0],
        params.mask_strides[1],
        params.scale as f32,
        f32::MIN,
        dropping.threshold,
        dropping.scale,
        params.masks,
        dropping.drops,
        UNITS as usize,
    );
    [dropped, probabilities]
}

#[cube(launch)]
#[allow(
    clippy::too_many_arguments,
    reason = "a kernel is given tensors and numbers one by one"
)]
fn softmax_backward_kernel(
    probabilities: &Tensor<f32>,
    grad: &Tensor<f32>,
    seed: &Tensor<f32>,
    of_scores: &mut Tensor<f32>,
    rows: usize,
    width: usize,
    scale: f32,
    threshold: u32,
    kept_scale: f32,
    #[comptime] drops: bool,
    #[comptime] units: usize,
) {
    let row = CUBE_POS;
    if row < rows {
        let first = row * width;
        let mut product = f32::new(0.0);
        let mut column = UNIT_POS as usize;
        while column < width {
            let at = first + column;
            let mut gradient = grad[at];
            if comptime![drops] {
                gradient *= kept(at as u32, seed, threshold, kept_scale);
            }
            of_scores[at] = gradient;
            product += gradient * probabilities[at];
            column += units;
        }
        let product = cube_sum(product, units);
        let mut column = UNIT_POS as usize;
        while column < width {
            let at = first + column;
            of_scores[at] = (of_scores[at] - product) * probabilities[at] * scale;
            column += units;
        }
    }
}

/// The gradient of the scores.
pub(super) fn backward(
    [probabilities, grad, seed]: [CubeTensor; 3],
    params: GpuSoftmax,
) -> CubeTensor {
    let grad = contiguous(grad);
    let [batch, heads, queries, width] = params.shape;
    let rows = batch * heads * queries;
    let of_scores = like(&grad);
    let dropping = Dropping::new(params.probability);
    let (cubes, units) = each_row(&grad.client, rows);
    softmax_backward_kernel::launch(
        &grad.client.clone(),
        cubes,
        units,
        probabilities.into_tensor_arg(),
        grad.into_tensor_arg(),
        contiguous(seed).into_tensor_arg(),
        of_scores.clone().into_tensor_arg(),
        rows,
        width,
        params.scale as f32,
        dropping.threshold,
        dropping.scale,
        dropping.drops,
        UNITS as usize,
    );
    of_scores
}
