//! LayerNorm(residual + dropout(x)), forward and backward, a row at a time. T rows, H columns.

use rayon::prelude::*;

use super::buffer::{Tiles, filled, filled_pair, zeroed};
use super::dropout::Mask;
use super::elementwise;
use super::gemm::bf16_rows::{round_into, widen_into};
use super::reduce::{dot, sum_of, sum_rows};
use super::simd::vectorized;
use crate::params::NormParams;

/// Rows of a block. The gradients of γ and β are summed within blocks and then over them in order, so they do not depend on
/// the number of threads.
const ROWS: usize = 32;

/// What the backward pass needs of the forward pass.
pub(crate) struct Normalized {
    /// `(s − mean) / deviation`, `[T, H]`.
    pub(crate) normalized: Vec<f32>,
    /// `1 / deviation`, `[T]`.
    pub(crate) inverse_deviation: Vec<f32>,
}

/// The rows `[T, H]` of one call, γ and β `[H]`.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) x: &'a [f32],
    /// Added to `x`, if there is one.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) gamma: &'a [f32],
    pub(crate) beta: &'a [f32],
}

impl Inputs<'_> {
    fn row(&self, index: usize) -> &[f32] {
        let width = self.gamma.len();
        &self.x[index * width..(index + 1) * width]
    }

    /// Normalises row `index`, which holds x, and returns 1 / deviation.
    #[inline(always)]
    fn normalize(&self, index: usize, row: &mut [f32], mask: Option<Mask>, epsilon: f32) -> f32 {
        let first = index * row.len();
        if let Some(mask) = mask {
            mask.apply(row, first as u32);
        }
        if let Some(residual) = self.residual {
            for (sum, &residual) in row.iter_mut().zip(&residual[first..]) {
                *sum += residual;
            }
        }
        normalize(row, epsilon)
    }

    #[inline(always)]
    fn scale(&self, row: &mut [f32]) {
        for (y, (&gamma, &beta)) in row.iter_mut().zip(self.gamma.iter().zip(self.beta)) {
            *y = *y * gamma + beta;
        }
    }
}

/// The output `[T, H]`.
pub(crate) fn forward(inputs: Inputs<'_>, params: NormParams) -> Vec<f32> {
    let mask = Mask::new(params.dropout);
    filled(inputs.x.len(), inputs.gamma.len(), |index, y| {
        let y = y.write_copy_of_slice(inputs.row(index));
        vectorized(
            #[inline(always)]
            || {
                inputs.normalize(index, y, mask, params.epsilon as f32);
                inputs.scale(y);
            },
        );
        y
    })
}

/// The output `[T, H]`, and what the backward pass needs.
pub(crate) fn forward_saving(inputs: Inputs<'_>, params: NormParams) -> (Vec<f32>, Normalized) {
    let mask = Mask::new(params.dropout);
    let width = inputs.gamma.len();
    let rows = Tiles {
        rows: inputs.x.len() / width,
        tile: 1,
        widths: [width; 2],
    };
    let ((y, normalized), inverse_deviation) = filled_pair(rows, |index, (y, normalized)| {
        let normalized = normalized.write_copy_of_slice(inputs.row(index));
        vectorized(
            #[inline(always)]
            || {
                let epsilon = params.epsilon as f32;
                let inverse = inputs.normalize(index, normalized, mask, epsilon);
                let y = y.write_copy_of_slice(normalized);
                inputs.scale(y);
                ((y, normalized), inverse)
            },
        )
    });
    let saved = Normalized {
        normalized,
        inverse_deviation,
    };
    (y, saved)
}

/// As [`forward_saving`], with the normalised rows rounded to bfloat16, and 1 / deviation.
pub(crate) fn forward_saving_bf16(
    inputs: Inputs<'_>,
    params: NormParams,
) -> (Vec<f32>, (Vec<u16>, Vec<f32>)) {
    let mask = Mask::new(params.dropout);
    let width = inputs.gamma.len();
    let rows = Tiles {
        rows: inputs.x.len() / width,
        tile: 1,
        widths: [width; 2],
    };
    let ((y, normalized), inverse_deviation) = filled_pair(rows, |index, (y, normalized)| {
        let y = y.write_copy_of_slice(inputs.row(index));
        let normalized = zeroed(normalized);
        vectorized(
            #[inline(always)]
            || {
                let inverse = inputs.normalize(index, y, mask, params.epsilon as f32);
                round_into(normalized, y);
                inputs.scale(y);
                ((y, normalized), inverse)
            },
        )
    });
    (y, (normalized, inverse_deviation))
}

/// Makes the mean of a row 0 and its deviation 1. Returns 1 / deviation.
#[inline(always)]
fn normalize(row: &mut [f32], epsilon: f32) -> f32 {
    let count = row.len() as f32;
    let mean = sum_of(row, |x| x) / count;
    for x in row.iter_mut() {
        *x -= mean;
    }
    let variance = sum_of(row, |x| x * x) / count;
    let inverse = 1.0 / (variance + epsilon).sqrt();
    for x in row.iter_mut() {
        *x *= inverse;
    }
    inverse
}

/// The gradients of all four inputs.
pub(crate) struct NormGradients {
    /// `[T, H]`. It equals the residual's where nothing was dropped.
    pub(crate) x: Option<Vec<f32>>,
    /// `[T, H]`.
    pub(crate) residual: Vec<f32>,
    /// `[H]`.
    pub(crate) gamma: Vec<f32>,
    /// `[H]`.
    pub(crate) beta: Vec<f32>,
}

/// The normalised rows that the forward pass has kept.
#[derive(Clone, Copy)]
pub(crate) enum KeptRows<'a> {
    F32(&'a [f32]),
    Bf16(&'a [u16]),
}

impl<'a> KeptRows<'a> {
    /// One row; `room` is for one that has to be widened.
    #[inline(always)]
    fn row<'b>(self, index: usize, room: &'b mut [f32]) -> &'b [f32]
    where
        'a: 'b,
    {
        let at = index * room.len()..(index + 1) * room.len();
        match self {
            Self::F32(rows) => &rows[at],
            Self::Bf16(rows) => {
                widen_into(room, &rows[at]);
                room
            }
        }
    }
}

/// With `g = grad · γ` and `n` the normalised row: `residual' = (g − mean(g) − n · mean(g · n)) / deviation`. `x'` is that
/// times the dropout mask.
pub(crate) fn backward(
    normalized: KeptRows<'_>,
    inverse_deviation: &[f32],
    gamma: &[f32],
    grad: &[f32],
    params: NormParams,
) -> NormGradients {
    let width = gamma.len();
    let block = ROWS * width;
    let mut residual = vec![0.0; grad.len()];
    let partial: Vec<(Vec<f32>, Vec<f32>)> = residual
        .par_chunks_mut(block)
        .zip(grad.par_chunks(block))
        .zip(inverse_deviation.par_chunks(ROWS))
        .enumerate()
        .map(|(block, ((residual, grad), inverse))| {
            let mut gamma_sum = vec![0.0; width];
            let mut beta_sum = vec![0.0; width];
            let mut room = vec![0.0; width];
            vectorized(
                #[inline(always)]
                || {
                    let rows = residual
                        .chunks_exact_mut(width)
                        .zip(grad.chunks_exact(width))
                        .zip(inverse);
                    for (index, ((residual, grad), &inverse)) in (block * ROWS..).zip(rows) {
                        let normalized = normalized.row(index, &mut room);
                        row_backward(residual, normalized, grad, gamma, inverse);
                        let sums = gamma_sum.iter_mut().zip(beta_sum.iter_mut());
                        for ((gamma, beta), (&n, &g)) in sums.zip(normalized.iter().zip(grad)) {
                            *gamma += g * n;
                            *beta += g;
                        }
                    }
                },
            );
            (gamma_sum, beta_sum)
        })
        .collect();
    let (gammas, betas): (Vec<_>, Vec<_>) = partial.into_iter().unzip();
    let is_dropped = params.dropout.probability > 0.0;
    NormGradients {
        gamma: sum_rows(&gammas, width),
        beta: sum_rows(&betas, width),
        x: is_dropped.then(|| elementwise::dropout(residual.as_slice(), params.dropout)),
        residual,
    }
}

#[inline(always)]
fn row_backward(out: &mut [f32], normalized: &[f32], grad: &[f32], gamma: &[f32], inverse: f32) {
    let count = grad.len() as f32;
    for ((out, &grad), &gamma) in out.iter_mut().zip(grad).zip(gamma) {
        *out = grad * gamma;
    }
    let mean = sum_of(out, |g| g) / count;
    let along = dot(out, normalized) / count;
    for (out, &n) in out.iter_mut().zip(normalized) {
        *out = (*out - mean - n * along) * inverse;
    }
}
