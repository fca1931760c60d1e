//! Passes in which every element stands for itself.

use rayon::prelude::*;

use super::CHUNK;
use super::math::{normal, vectorized};
use super::random::Mask;
use crate::DropoutMask;

/// `1 / √(2π)`, the factor of the standard normal density.
const INV_SQRT_2PI: f32 = 0.398_942_3;

/// `x · Φ(x)`.
pub(crate) fn gelu(x: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    y.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .for_each(|(y, x)| {
            vectorized(
                #[inline(always)]
                || {
                    for (y, &x) in y.iter_mut().zip(x) {
                        let (distribution, _) = normal(x);
                        *y = x * distribution;
                    }
                },
            );
        });
    y
}

/// `grad · (Φ(x) + x · φ(x))`.
pub(crate) fn gelu_backward(x: &[f32], grad: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .zip(grad.par_chunks(CHUNK))
        .for_each(|((out, x), grad)| {
            vectorized(
                #[inline(always)]
                || {
                    for ((out, &x), &grad) in out.iter_mut().zip(x).zip(grad) {
                        let (distribution, bell) = normal(x);
                        *out = grad * (distribution + x * bell * INV_SQRT_2PI);
                    }
                },
            );
        });
    out
}

/// Dropout, and the gradient of dropout: the same pass.
pub(crate) fn dropout(x: &[f32], mask: DropoutMask) -> Vec<f32> {
    let Some(mask) = Mask::new(mask) else {
        return x.to_vec();
    };
    let mut y = vec![0.0; x.len()];
    y.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .enumerate()
        .for_each(|(chunk, (y, x))| {
            let first = (chunk * CHUNK) as u32;
            vectorized(
                #[inline(always)]
                || {
                    for (index, (y, &x)) in y.iter_mut().zip(x).enumerate() {
                        *y = x * mask.factor(first.wrapping_add(index as u32));
                    }
                },
            );
        });
    y
}
