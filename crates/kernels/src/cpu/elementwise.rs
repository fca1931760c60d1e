//! Passes in which every element stands for itself.

use std::borrow::Cow;

use rayon::prelude::*;

use super::CHUNK;
use super::buffer::filled;
use super::math::{gelu_and_slope, vectorized};
use super::random::Mask;
use crate::DropoutMask;

/// `x · Φ(x)`.
pub(crate) fn gelu(x: &[f32]) -> Vec<f32> {
    filled(x.len(), CHUNK, |chunk, y| {
        let y = y.write_copy_of_slice(part_of(x, chunk));
        vectorized(
            #[inline(always)]
            || {
                for y in y.iter_mut() {
                    (*y, _) = gelu_and_slope(*y);
                }
            },
        );
        y
    })
}

/// `grad · (Φ(x) + x · φ(x))`.
pub(crate) fn gelu_backward(x: &[f32], grad: &[f32]) -> Vec<f32> {
    filled(x.len(), CHUNK, |chunk, out| {
        let out = out.write_copy_of_slice(part_of(grad, chunk));
        let x = part_of(x, chunk);
        vectorized(
            #[inline(always)]
            || {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out *= gelu_and_slope(x).1;
                }
            },
        );
        out
    })
}

/// One product of each pair of elements.
pub(crate) fn times(left: &[f32], right: &[f32]) -> Vec<f32> {
    filled(left.len(), CHUNK, |chunk, product| {
        let product = product.write_copy_of_slice(part_of(left, chunk));
        let right = part_of(right, chunk);
        vectorized(
            #[inline(always)]
            || {
                for (product, &right) in product.iter_mut().zip(right) {
                    *product *= right;
                }
            },
        );
        product
    })
}

/// Dropout, and the gradient of dropout: the same pass. Elements that are owned are changed where they lie.
pub(crate) fn dropout<'a>(x: impl Into<Cow<'a, [f32]>>, mask: DropoutMask) -> Vec<f32> {
    let mut y = x.into().into_owned();
    if let Some(mask) = Mask::new(mask) {
        y.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, y)| {
            vectorized(
                #[inline(always)]
                || mask.apply(y, (chunk * CHUNK) as u32),
            );
        });
    }
    y
}

/// The elements of one chunk.
fn part_of(x: &[f32], chunk: usize) -> &[f32] {
    let first = chunk * CHUNK;
    &x[first..x.len().min(first + CHUNK)]
}
