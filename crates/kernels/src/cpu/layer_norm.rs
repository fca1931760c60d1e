//! LayerNorm(residual + dropout(x)), forward and backward, a row at a time. T rows, H columns.

use rayon::prelude::*;

use super::math::vectorized;
use super::random::Mask;
use crate::NormNumbers;

/// Rows a thread takes at a time. The gradients of γ and β are summed over such blocks, in their order, so they do not
/// depend on the number of threads.
const ROWS: usize = 32;

/// What the backward pass needs of the forward pass.
pub(crate) struct Normalized {
    /// `(s − mean) / deviation`, `[T, H]`.
    pub(crate) normalized: Vec<f32>,
    /// `1 / deviation`, `[T]`.
    pub(crate) inverse_deviation: Vec<f32>,
}

/// Gives the output `[T, H]`; fills `saved` when it is there.
pub(crate) fn forward(
    x: &[f32],
    residual: &[f32],
    gamma: &[f32],
    beta: &[f32],
    numbers: NormNumbers,
    saved: Option<&mut Normalized>,
) -> Vec<f32> {
    let width = gamma.len();
    let mask = Mask::new(numbers.dropout);
    let mut y = vec![0.0; x.len()];
    let row = |index: usize, y: &mut [f32], normalized: Option<&mut [f32]>| {
        let at = index * width..(index + 1) * width;
        let (x, residual) = (&x[at.clone()], &residual[at.clone()]);
        let first = at.start as u32;
        vectorized(
            #[inline(always)]
            || {
                sum(y, x, residual, mask, first);
                let inverse = normalize(y, numbers.epsilon as f32);
                if let Some(normalized) = normalized {
                    normalized.copy_from_slice(y);
                }
                for ((y, &gamma), &beta) in y.iter_mut().zip(gamma).zip(beta) {
                    *y = *y * gamma + beta;
                }
                inverse
            },
        )
    };
    match saved {
        None => y
            .par_chunks_mut(width)
            .with_min_len(ROWS)
            .enumerate()
            .for_each(|(index, y)| {
                row(index, y, None);
            }),
        Some(saved) => {
            saved.normalized = vec![0.0; x.len()];
            saved.inverse_deviation = vec![0.0; x.len() / width];
            y.par_chunks_mut(width)
                .zip(saved.normalized.par_chunks_mut(width))
                .zip(saved.inverse_deviation.par_iter_mut())
                .with_min_len(ROWS)
                .enumerate()
                .for_each(|(index, ((y, normalized), inverse))| {
                    *inverse = row(index, y, Some(normalized));
                });
        }
    }
    y
}

#[inline(always)]
fn sum(s: &mut [f32], x: &[f32], residual: &[f32], mask: Option<Mask>, first: u32) {
    let terms = s.iter_mut().zip(x).zip(residual);
    match mask {
        None => {
            for ((s, &x), &residual) in terms {
                *s = x + residual;
            }
        }
        Some(mask) => {
            for (column, ((s, &x), &residual)) in terms.enumerate() {
                *s = x * mask.factor(first.wrapping_add(column as u32)) + residual;
            }
        }
    }
}

/// Makes the mean of a row 0 and its deviation 1, and gives 1 / deviation.
#[inline(always)]
fn normalize(row: &mut [f32], epsilon: f32) -> f32 {
    let count = row.len() as f32;
    let mean = lanes(row, |x| x) / count;
    for x in row.iter_mut() {
        *x -= mean;
    }
    let variance = lanes(row, |x| x * x) / count;
    let inverse = 1.0 / (variance + epsilon).sqrt();
    for x in row.iter_mut() {
        *x *= inverse;
    }
    inverse
}

/// A sum in independent lanes, so that the compiler may use vector registers.
#[inline(always)]
fn lanes(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; 16];
    let mut blocks = values.chunks_exact(sums.len());
    for block in &mut blocks {
        for (sum, &value) in sums.iter_mut().zip(block) {
            *sum += term(value);
        }
    }
    let rest: f32 = blocks.remainder().iter().map(|&value| term(value)).sum();
    sums.iter().sum::<f32>() + rest
}

/// The gradients of all four inputs.
pub(crate) struct NormGradients {
    /// `[T, H]`.
    pub(crate) x: Vec<f32>,
    /// `[T, H]`.
    pub(crate) residual: Vec<f32>,
    /// `[H]`.
    pub(crate) gamma: Vec<f32>,
    /// `[H]`.
    pub(crate) beta: Vec<f32>,
}

/// With `g = grad · γ` and `n` the normalised row: `residual' = (g − mean(g) − n · mean(g · n)) / deviation`, and `x'` is
/// that where the mask keeps.
pub(crate) fn backward(
    normalized: &[f32],
    inverse_deviation: &[f32],
    gamma: &[f32],
    grad: &[f32],
    numbers: NormNumbers,
) -> NormGradients {
    let width = gamma.len();
    let mask = Mask::new(numbers.dropout);
    let mut residual = vec![0.0; grad.len()];
    let mut x = vec![0.0; if mask.is_some() { grad.len() } else { 0 }];
    let block = ROWS * width;
    let partial: Vec<(Vec<f32>, Vec<f32>)> = residual
        .par_chunks_mut(block)
        .zip(normalized.par_chunks(block))
        .zip(grad.par_chunks(block))
        .zip(inverse_deviation.par_chunks(ROWS))
        .map(|(((residual, normalized), grad), inverse)| {
            let mut gamma_sum = vec![0.0; width];
            let mut beta_sum = vec![0.0; width];
            vectorized(
                #[inline(always)]
                || {
                    let rows = residual
                        .chunks_exact_mut(width)
                        .zip(normalized.chunks_exact(width))
                        .zip(grad.chunks_exact(width))
                        .zip(inverse);
                    for (((residual, normalized), grad), &inverse) in rows {
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
    if let Some(mask) = mask {
        x.par_chunks_mut(block)
            .zip(residual.par_chunks(block))
            .enumerate()
            .for_each(|(index, (x, residual))| {
                let first = (index * block) as u32;
                vectorized(
                    #[inline(always)]
                    || {
                        for (offset, (x, &residual)) in x.iter_mut().zip(residual).enumerate() {
                            *x = residual * mask.factor(first.wrapping_add(offset as u32));
                        }
                    },
                );
            });
    }
    let (gammas, betas): (Vec<_>, Vec<_>) = partial.into_iter().unzip();
    NormGradients {
        gamma: total(&gammas, width),
        beta: total(&betas, width),
        x,
        residual,
    }
}

/// The sum of rows of this width, in their order.
fn total(rows: &[Vec<f32>], width: usize) -> Vec<f32> {
    let mut total = vec![0.0; width];
    for row in rows {
        for (total, &value) in total.iter_mut().zip(row) {
            *total += value;
        }
    }
    total
}

#[inline(always)]
fn row_backward(out: &mut [f32], normalized: &[f32], grad: &[f32], gamma: &[f32], inverse: f32) {
    let count = grad.len() as f32;
    for ((out, &grad), &gamma) in out.iter_mut().zip(grad).zip(gamma) {
        *out = grad * gamma;
    }
    let mean = lanes(out, |g| g) / count;
    let along = dot(out, normalized) / count;
    for (out, &n) in out.iter_mut().zip(normalized) {
        *out = (*out - mean - n * along) * inverse;
    }
}

/// A scalar product in independent lanes.
#[inline(always)]
pub(super) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    let (mut lefts, mut rights) = (left.chunks_exact(16), right.chunks_exact(16));
    for (left, right) in (&mut lefts).zip(&mut rights) {
        for ((sum, &left), &right) in sums.iter_mut().zip(left).zip(right) {
            *sum += left * right;
        }
    }
    let rest = lefts.remainder().iter().zip(rights.remainder());
    sums.iter().sum::<f32>() + rest.map(|(left, right)| left * right).sum::<f32>()
}
