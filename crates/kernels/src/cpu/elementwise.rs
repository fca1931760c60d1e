//! Element-wise operations.

use std::borrow::Cow;

use rayon::prelude::*;

use super::buffer::{CHUNK, filled, zeroed};
use super::dropout::Mask;
use super::gemm::bf16_rows::round_into;
use super::math::gelu_and_slope;
use super::simd::vectorized;
use crate::params::DropoutMask;

/// `x · Φ(x)`.
pub(crate) fn gelu(x: &[f32]) -> Vec<f32> {
    filled(x.len(), CHUNK, |chunk, y| {
        let y = y.write_copy_of_slice(chunk_of(x, chunk));
        vectorized(
            #[inline(always)]
            || gelu_in_place(y),
        );
        y
    })
}

/// The same in place, on this thread and in registers of the caller's width.
#[inline(always)]
pub(super) fn gelu_in_place(x: &mut [f32]) {
    for x in x {
        (*x, _) = gelu_and_slope(*x);
    }
}

/// `grad · (Φ(x) + x · φ(x))`.
pub(crate) fn gelu_backward(x: &[f32], grad: &[f32]) -> Vec<f32> {
    filled(x.len(), CHUNK, |chunk, out| {
        let out = out.write_copy_of_slice(chunk_of(grad, chunk));
        let x = chunk_of(x, chunk);
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

/// The nearest bfloat16 of each element.
pub(crate) fn round(x: &[f32]) -> Vec<u16> {
    filled(x.len(), CHUNK, |chunk, rounded| {
        let rounded = zeroed(rounded);
        vectorized(
            #[inline(always)]
            || round_into(rounded, chunk_of(x, chunk)),
        );
        rounded
    })
}

/// Dropout, and its gradient, which is the same operation. Owned elements are changed in place.
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
fn chunk_of(x: &[f32], chunk: usize) -> &[f32] {
    let first = chunk * CHUNK;
    &x[first..x.len().min(first + CHUNK)]
}
