//! Scaled dot-product attention over heads, forward and backward, one sequence and head at a time: scores never leave the
//! cache. Sequences stand one behind the other without gaps; T rows in all, of one sequence S, of them L up to the last one
//! that is not masked; N heads, D head width, H = N · D.

use rayon::prelude::*;

use super::layer_norm::dot;
use super::math::{exp, vectorized};
use super::product::{Part, product};
use super::random::Mask;
use crate::AttentionNumbers;

/// Queries, keys and values side by side, `[T, 3 · H]`, and the additive mask `[T]` of the keys.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) joined: &'a [f32],
    pub(crate) mask: &'a [f32],
}

/// Queries, keys and values.
pub(crate) const JOINED: usize = 3;
/// Of one row of scores the highest, and one over the sum of e^(score − highest): `[T, N, 2]` for all, the rows of a head
/// within a sequence together.
const STATISTICS: usize = 2;

/// The sizes of one call.
#[derive(Clone, Copy)]
struct Sizes {
    heads: usize,
    head: usize,
    /// Rows of the longest sequence, by which the rows' dropout indices stand apart.
    longest: usize,
}

impl Sizes {
    fn new(inputs: &Inputs<'_>, numbers: &AttentionNumbers) -> Self {
        let width = inputs.joined.len() / JOINED / inputs.mask.len().max(1);
        Self {
            heads: numbers.heads,
            head: width / numbers.heads,
            longest: numbers.lengths.iter().copied().max().unwrap_or(0),
        }
    }

    /// H.
    fn width(&self) -> usize {
        self.heads * self.head
    }

    /// The first `rows` rows of one head in `[S, H]`.
    fn context(&self, head: usize, rows: usize) -> Part {
        Part::rows(head * self.head, rows, self.head, self.width())
    }

    /// The same of the queries (0), keys (1) or values (2) in `[S, 3 · H]`.
    fn joined(&self, which: usize, head: usize, rows: usize) -> Part {
        let start = which * self.width() + head * self.head;
        Part::rows(start, rows, self.head, JOINED * self.width())
    }

    fn scale(&self) -> f32 {
        (self.head as f32).powf(-0.5)
    }
}

/// One sequence: where it starts, and what belongs to it.
#[derive(Clone, Copy)]
struct Sequence<'a> {
    first_row: usize,
    rows: usize,
    joined: &'a [f32],
    mask: &'a [f32],
    sizes: Sizes,
}

impl<'a> Sequence<'a> {
    fn all(inputs: Inputs<'a>, sizes: Sizes, lengths: &[usize]) -> Vec<Self> {
        let width = JOINED * sizes.width();
        let mut first_row = 0;
        let mut next = |&rows: &usize| {
            let at = first_row..first_row + rows;
            first_row = at.end;
            Self {
                first_row: at.start,
                rows,
                joined: &inputs.joined[at.start * width..at.end * width],
                mask: &inputs.mask[at],
                sizes,
            }
        };
        lengths.iter().map(&mut next).collect()
    }

    /// Behind this position every key is masked, and its probability is exactly 0. Where all are masked none is: they
    /// then share the attention evenly.
    fn positions(&self) -> usize {
        let last = self.mask.iter().rposition(|&mask| mask == 0.0);
        last.map_or(self.rows, |last| last + 1)
    }

    /// `scale · Q Kᵀ` of one head, `[S, L]`.
    fn scores(&self, head: usize, positions: usize, scores: &mut [f32]) {
        let sizes = &self.sizes;
        product(
            (scores, Part::rows(0, self.rows, positions, positions)),
            (self.joined, sizes.joined(0, head, self.rows)),
            (self.joined, sizes.joined(1, head, positions).transposed()),
            sizes.scale(),
        );
    }

    /// The dropout index of the first score of a row.
    fn first_score(&self, head: usize, row: usize) -> u32 {
        let rows = (self.first_row + row) * self.sizes.heads + head;
        (rows as u32).wrapping_mul(self.sizes.longest as u32)
    }
}

/// The parts of `[T, width]` that belong to each sequence.
fn split<'a>(mut whole: &'a mut [f32], lengths: &[usize], width: usize) -> Vec<&'a mut [f32]> {
    let mut next = |&rows: &usize| {
        let (part, rest) = std::mem::take(&mut whole).split_at_mut(rows * width);
        whole = rest;
        part
    };
    lengths.iter().map(&mut next).collect()
}

/// Gives the context `[T, H]` and what the backward pass needs, `[T, N, 2]`.
pub(crate) fn forward(inputs: Inputs<'_>, numbers: &AttentionNumbers) -> (Vec<f32>, Vec<f32>) {
    let sizes = Sizes::new(&inputs, numbers);
    let dropout = Mask::new(numbers.dropout);
    let rows = inputs.mask.len();
    let mut context = vec![0.0; rows * sizes.width()];
    let mut statistics = vec![0.0; rows * sizes.heads * STATISTICS];
    let lengths = &numbers.lengths;
    Sequence::all(inputs, sizes, lengths)
        .into_par_iter()
        .zip(split(&mut context, lengths, sizes.width()))
        .zip(split(&mut statistics, lengths, sizes.heads * STATISTICS))
        .with_max_len(1)
        .for_each_init(Vec::new, |scores, ((one, context), statistics)| {
            let positions = one.positions();
            scores.resize(one.rows * positions, 0.0);
            let of_heads = statistics.chunks_exact_mut(one.rows.max(1) * STATISTICS);
            for (head, statistics) in of_heads.enumerate() {
                one.scores(head, positions, scores);
                let rows = scores.chunks_exact_mut(positions);
                let rows = rows.zip(statistics.chunks_exact_mut(STATISTICS));
                vectorized(
                    #[inline(always)]
                    || {
                        for (row, (scores, statistics)) in rows.enumerate() {
                            softmax(scores, &one.mask[..positions], statistics);
                            if let Some(dropout) = dropout {
                                dropout.apply(scores, one.first_score(head, row));
                            }
                        }
                    },
                );
                product(
                    (context, sizes.context(head, one.rows)),
                    (scores, Part::rows(0, one.rows, positions, positions)),
                    (one.joined, sizes.joined(2, head, positions)),
                    1.0,
                );
            }
        });
    (context, statistics)
}

/// The gradient of the joined queries, keys and values, `[T, 3 · H]`. With probabilities P and their kept part M ∘ P:
/// `V' = (M ∘ P)ᵀ C'`, `P' = M ∘ (C' Vᵀ)`, `S' = P ∘ (P' − rowsum(P' ∘ P))`, `Q' = scale · S' K`, `K' = scale · S'ᵀ Q`.
pub(crate) fn backward(
    inputs: Inputs<'_>,
    statistics: &[f32],
    grad: &[f32],
    numbers: &AttentionNumbers,
) -> Vec<f32> {
    let sizes = Sizes::new(&inputs, numbers);
    let dropout = Mask::new(numbers.dropout);
    let mut joined = vec![0.0; inputs.joined.len()];
    let lengths = &numbers.lengths;
    Sequence::all(inputs, sizes, lengths)
        .into_par_iter()
        .zip(split(&mut joined, lengths, JOINED * sizes.width()))
        .with_max_len(1)
        .for_each_init(Scratch::default, |scratch, (one, out)| {
            let positions = one.positions();
            let rows = one.first_row..one.first_row + one.rows;
            let grad = &grad[rows.start * sizes.width()..rows.end * sizes.width()];
            let of_sequence = sizes.heads * STATISTICS;
            let statistics = &statistics[rows.start * of_sequence..rows.end * of_sequence];
            scratch.resize(one.rows * positions);
            let of_heads = statistics.chunks_exact(one.rows.max(1) * STATISTICS);
            for (head, statistics) in of_heads.enumerate() {
                one.head_backward(
                    head,
                    positions,
                    statistics,
                    (grad, &mut *out),
                    dropout,
                    scratch,
                );
            }
        });
    joined
}

/// Three squares of scores.
#[derive(Default)]
struct Scratch {
    probabilities: Vec<f32>,
    kept: Vec<f32>,
    gradient: Vec<f32>,
}

impl Scratch {
    fn resize(&mut self, length: usize) {
        for buffer in [&mut self.probabilities, &mut self.kept, &mut self.gradient] {
            buffer.resize(length, 0.0);
        }
    }
}

impl Sequence<'_> {
    fn head_backward(
        &self,
        head: usize,
        positions: usize,
        statistics: &[f32],
        (grad, out): (&[f32], &mut [f32]),
        dropout: Option<Mask>,
        scratch: &mut Scratch,
    ) {
        let sizes = &self.sizes;
        let Scratch {
            probabilities,
            kept,
            gradient,
        } = scratch;
        let square = Part::rows(0, self.rows, positions, positions);
        let context = sizes.context(head, self.rows);
        let queries = sizes.joined(0, head, self.rows);
        let keys = sizes.joined(1, head, positions);
        let values = sizes.joined(2, head, positions);
        self.scores(head, positions, probabilities);
        product(
            (gradient, square),
            (grad, context),
            (self.joined, values.transposed()),
            1.0,
        );
        let rows = probabilities
            .chunks_exact_mut(positions)
            .zip(kept.chunks_exact_mut(positions))
            .zip(gradient.chunks_exact_mut(positions))
            .zip(statistics.chunks_exact(STATISTICS));
        vectorized(
            #[inline(always)]
            || {
                for (row, (((probabilities, kept), gradient), statistics)) in rows.enumerate() {
                    recompute(probabilities, &self.mask[..positions], statistics);
                    keep(
                        probabilities,
                        kept,
                        gradient,
                        dropout,
                        self.first_score(head, row),
                    );
                    let along = dot(gradient, probabilities);
                    for (g, &p) in gradient.iter_mut().zip(probabilities.iter()) {
                        *g = p * (*g - along);
                    }
                }
            },
        );
        let transposed = square.transposed();
        let scale = sizes.scale();
        product((out, values), (kept, transposed), (grad, context), 1.0);
        product(
            (out, queries),
            (gradient, square),
            (self.joined, keys),
            scale,
        );
        product(
            (out, keys),
            (gradient, transposed),
            (self.joined, queries),
            scale,
        );
    }
}

/// Turns a row of scores into probabilities, and keeps what recomputes them.
#[inline(always)]
fn softmax(scores: &mut [f32], mask: &[f32], statistics: &mut [f32]) {
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

#[inline(always)]
fn recompute(scores: &mut [f32], mask: &[f32], statistics: &[f32]) {
    let (highest, inverse) = (statistics[0], statistics[1]);
    for (score, &mask) in scores.iter_mut().zip(mask) {
        *score = exp(*score + mask - highest) * inverse;
    }
}

/// Dropout of a row of probabilities into `kept`, and of their gradient in place.
#[inline(always)]
fn keep(
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
        let factor = dropout.factor(first.wrapping_add(index as u32));
        *kept = probability * factor;
        *gradient *= factor;
    }
}
