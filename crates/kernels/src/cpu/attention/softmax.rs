//! Softmax and dropout of one row of scores.

use crate::cpu::dropout::Mask;
use crate::cpu::math::exp;

/// Statistics of a row of scores: the highest score, and 1 / Σ e^(score − highest). All together they are `[Q, N, 2]`; within a
/// sequence, the rows of a head are consecutive.
pub(super) const STATISTICS: usize = 2;

/// Turns a row of scores into probabilities. `statistics` are what [`recompute`] needs.
#[inline(always)]
pub(super) fn softmax(scores: &mut [f32], mask: &[f32], statistics: &mut [f32]) {
    let mut highest = [f32::NEG_INFINITY; 16];
    for (scores, mask) in scores.chunks_mut(16).zip(mask.chunks(16)) {
        for ((score, &mask), highest) in scores.iter_mut().zip(mask).zip(&mut highest) {
            *score += mask;
            *highest = if *score > *highest { *score } else { *highest };
        }
    }
    let highest = highest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0.0_f32; 16];
    for scores in scores.chunks_mut(16) {
        for (score, sum) in scores.iter_mut().zip(&mut sums) {
            *score = exp(*score - highest);
            *sum += *score;
        }
    }
    let inverse = 1.0 / sums.iter().sum::<f32>();
    for score in scores.iter_mut() {
        *score *= inverse;
    }
    statistics[0] = highest;
    statistics[1] = inverse;
}

/// Turns a row of scores into the probabilities of the forward pass.
#[inline(always)]
pub(super) fn recompute(scores: &mut [f32], mask: &[f32], statistics: &[f32]) {
    let (highest, inverse) = (statistics[0], statistics[1]);
    for (score, &mask) in scores.iter_mut().zip(mask) {
        *score = exp(*score + mask - highest) * inverse;
    }
}

/// Dropout of a row of probabilities into `kept`, and of their gradient in place.
#[inline(always)]
pub(super) fn drop_row(
    probabilities: &[f32],
    kept: &mut [f32],
    gradient: &mut [f32],
    dropout: Option<Mask>,
    first: u32,
) {
    let Some(dropout) = dropout else {
        kept.copy_from_slice(probabilities);
        return;
    };
    let pairs = kept.iter_mut().zip(gradient).zip(probabilities);
    for (index, ((kept, gradient), &probability)) in pairs.enumerate() {
        let scale = dropout.scale_at(first.wrapping_add(index as u32));
        *kept = probability * scale;
        *gradient *= scale;
    }
}
