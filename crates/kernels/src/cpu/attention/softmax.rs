//! Softmax and dropout of scores `[L, W]`: a row for each key, a lane for each query.

use std::ops::Range;

use pulp::Simd;

use crate::cpu::dropout::Mask;
use crate::cpu::math::exp;

/// The number of statistics of a query and head: the highest score, and 1 / Σ e^(score − highest). They are `[Q, N, 2]`.
pub(super) const STATISTICS: usize = 2;

/// Keys whose terms are summed before they are added to those of the keys before: a sum of few sums rounds less than one of all
/// terms, and its error would reach the gradient of every key.
const RUN: usize = 16;

/// The statistics of W queries.
pub(super) struct Statistics<const W: usize> {
    pub(super) highest: [f32; W],
    pub(super) inverse: [f32; W],
}

impl<const W: usize> Statistics<W> {
    /// Writes those of one head into the rows `[R, N, 2]` of at most W queries.
    #[inline(always)]
    pub(super) fn save(&self, rows: &mut [f32], head: usize, heads: usize) {
        let rows = rows.chunks_exact_mut(heads * STATISTICS);
        for (row, (highest, inverse)) in rows.zip(self.highest.iter().zip(&self.inverse)) {
            row[head * STATISTICS..][..STATISTICS].copy_from_slice(&[*highest, *inverse]);
        }
    }

    /// Those of the first W queries of these rows, or of as many as there are.
    #[inline(always)]
    pub(super) fn saved(rows: &[f32], head: usize, heads: usize) -> Self {
        let mut statistics = Self {
            highest: [0.0; W],
            inverse: [0.0; W],
        };
        for (lane, row) in rows.chunks_exact(heads * STATISTICS).take(W).enumerate() {
            let of_head = &row[head * STATISTICS..];
            (statistics.highest[lane], statistics.inverse[lane]) = (of_head[0], of_head[1]);
        }
        statistics
    }
}

/// The dropout of a block's probabilities.
#[derive(Clone, Copy)]
pub(super) struct LaneDropout<const W: usize> {
    pub(super) mask: Mask,
    /// The index of each query's score with the sequence's first key.
    pub(super) indices: [u32; W],
}

impl<const W: usize> LaneDropout<W> {
    #[inline(always)]
    fn scale_at(&self, key: usize, lane: usize) -> f32 {
        self.mask
            .scale_at(self.indices[lane].wrapping_add(key as u32))
    }
}

/// Turns scores into `e^(score − highest)` after dropout, which are probabilities but for the factor `inverse` of each query.
#[inline(always)]
pub(super) fn softmax<const W: usize>(
    scores: &mut [[f32; W]],
    keys: Range<usize>,
    dropout: Option<LaneDropout<W>>,
) -> Statistics<W> {
    let highest = highest(scores);
    let sums = match dropout {
        None => exponentials(scores, keys, &highest, |_, _| 1.0),
        Some(dropout) => exponentials(scores, keys, &highest, |key, lane| {
            dropout.scale_at(key, lane)
        }),
    };
    Statistics {
        highest,
        inverse: sums.map(|sum| 1.0 / sum),
    }
}

#[inline(always)]
fn highest<const W: usize>(scores: &[[f32; W]]) -> [f32; W] {
    let mut highest = [f32::NEG_INFINITY; W];
    for scores in scores {
        for (highest, &score) in highest.iter_mut().zip(scores) {
            *highest = if score > *highest { score } else { *highest };
        }
    }
    highest
}

/// Returns the sums of the exponentials before dropout.
#[inline(always)]
fn exponentials<const W: usize>(
    scores: &mut [[f32; W]],
    keys: Range<usize>,
    highest: &[f32; W],
    scale_at: impl Fn(usize, usize) -> f32,
) -> [f32; W] {
    let mut sums = [0.0_f32; W];
    for (scores, first) in scores.chunks_mut(RUN).zip(keys.step_by(RUN)) {
        let mut of_run = [0.0_f32; W];
        for (scores, key) in scores.iter_mut().zip(first..) {
            for lane in 0..W {
                let power = exp(scores[lane] - highest[lane]);
                of_run[lane] += power;
                scores[lane] = power * scale_at(key, lane);
            }
        }
        add(&mut sums, &of_run);
    }
    sums
}

#[inline(always)]
fn add<const W: usize>(sums: &mut [f32; W], terms: &[f32; W]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term;
    }
}

/// What the backward pass has of a block's probabilities, `[L, W]` each.
pub(super) struct Probabilities<'a, const W: usize> {
    /// Scores; then probabilities.
    pub(super) scores: &'a mut [[f32; W]],
    /// Room for probabilities after dropout.
    pub(super) kept: &'a mut [[f32; W]],
    /// The gradient of these; then that of the scores.
    pub(super) gradient: &'a mut [[f32; W]],
}

impl<const W: usize> Probabilities<'_, W> {
    /// Turns scores S and the gradient of M ∘ P into M ∘ P and `scale · S'`, with `S' = P ∘ (P' − rowsum(P' ∘ P))`.
    #[inline(always)]
    pub(super) fn differentiate<S: Simd>(
        self,
        simd: S,
        keys: Range<usize>,
        statistics: &Statistics<W>,
        dropout: Option<LaneDropout<W>>,
        scale: f32,
    ) {
        let Self {
            scores,
            kept,
            gradient,
        } = self;
        let rows = Probabilities {
            scores: &mut *scores,
            kept,
            gradient: &mut *gradient,
        };
        let along = match dropout {
            None => rows.recompute(keys, statistics, |_, _| 1.0),
            Some(dropout) => {
                rows.recompute(keys, statistics, |key, lane| dropout.scale_at(key, lane))
            }
        };
        // In registers: left to itself, the compiler would take one lane of many keys together, by gathers.
        let (scale, along) = (simd.splat_f32s(scale), S::as_simd_f32s(&along).0);
        for (gradient, probabilities) in gradient.iter_mut().zip(scores) {
            let gradient = S::as_mut_simd_f32s(gradient).0.iter_mut();
            let probabilities = S::as_simd_f32s(probabilities).0;
            for ((gradient, &probability), &along) in gradient.zip(probabilities).zip(along) {
                let difference = simd.sub_f32s(*gradient, along);
                *gradient = simd.mul_f32s(simd.mul_f32s(scale, probability), difference);
            }
        }
    }

    /// Turns scores into probabilities, and applies dropout to these and to the gradient. Returns `rowsum(P' ∘ P)` of each query.
    #[inline(always)]
    fn recompute(
        self,
        keys: Range<usize>,
        Statistics { highest, inverse }: &Statistics<W>,
        scale_at: impl Fn(usize, usize) -> f32,
    ) -> [f32; W] {
        let mut along = [0.0_f32; W];
        let runs = self.scores.chunks_mut(RUN).zip(self.kept.chunks_mut(RUN));
        let runs = runs.zip(self.gradient.chunks_mut(RUN));
        for (((scores, kept), gradient), first) in runs.zip(keys.step_by(RUN)) {
            let mut of_run = [0.0_f32; W];
            let rows = scores.iter_mut().zip(kept).zip(gradient);
            for (((scores, kept), gradient), key) in rows.zip(first..) {
                for lane in 0..W {
                    let probability = exp(scores[lane] - highest[lane]) * inverse[lane];
                    let scale = scale_at(key, lane);
                    scores[lane] = probability;
                    kept[lane] = probability * scale;
                    gradient[lane] *= scale;
                    of_run[lane] += gradient[lane] * probability;
                }
            }
            add(&mut along, &of_run);
        }
        along
    }
}
