//! Scaled dot-product attention over heads, forward and backward, one sequence and head at a time: scores never leave the
//! cache. B sequences, S positions, N heads, D head width, H = N · D, L positions up to the last one that is not masked.

use rayon::prelude::*;

use super::layer_norm::dot;
use super::math::{exp, vectorized};
use super::product::{Part, product};
use super::random::Mask;
use crate::AttentionNumbers;

/// Queries, keys and values, each `[B·S, H]`, and the additive mask `[B, S]`.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) query: &'a [f32],
    pub(crate) key: &'a [f32],
    pub(crate) value: &'a [f32],
    pub(crate) mask: &'a [f32],
}

/// Of one row of scores the highest, and one over the sum of e^(score − highest): `[B, N, S, 2]` for all.
const STATISTICS: usize = 2;

/// The sizes of one call.
#[derive(Clone, Copy)]
struct Sizes {
    sequence: usize,
    heads: usize,
    head: usize,
    width: usize,
}

impl Sizes {
    fn new(inputs: &Inputs<'_>, numbers: &AttentionNumbers) -> Self {
        let width = inputs.query.len() / inputs.mask.len().max(1);
        Self {
            sequence: inputs.mask.len() / numbers.batch.max(1),
            heads: numbers.heads,
            head: width / numbers.heads,
            width,
        }
    }

    /// One sequence of `[B·S, H]`.
    fn rows(&self) -> usize {
        self.sequence * self.width
    }

    /// The first `positions` rows of one head within one sequence.
    fn part(&self, head: usize, positions: usize) -> Part {
        Part::rows(head * self.head, positions, self.head, self.width)
    }

    fn scale(&self) -> f32 {
        (self.head as f32).powf(-0.5)
    }

    /// The dropout index of the first score of a row.
    fn first(&self, sequence: usize, head: usize, row: usize) -> u32 {
        let rows = (sequence * self.heads + head) * self.sequence + row;
        (rows as u32).wrapping_mul(self.sequence as u32)
    }
}

/// Gives the context `[B·S, H]` and what the backward pass needs, `[B, N, S, 2]`.
pub(crate) fn forward(inputs: Inputs<'_>, numbers: AttentionNumbers) -> (Vec<f32>, Vec<f32>) {
    let sizes = Sizes::new(&inputs, &numbers);
    let dropout = Mask::new(numbers.dropout);
    let mut context = vec![0.0; inputs.query.len()];
    let mut statistics = vec![0.0; inputs.mask.len() * sizes.heads * STATISTICS];
    context
        .par_chunks_mut(sizes.rows())
        .zip(statistics.par_chunks_mut(sizes.heads * sizes.sequence * STATISTICS))
        .enumerate()
        .for_each_init(Vec::new, |scores, (index, (context, statistics))| {
            let one = Sequence::new(inputs, sizes, index);
            let positions = one.positions();
            scores.resize(sizes.sequence * positions, 0.0);
            let of_heads = statistics.chunks_exact_mut(sizes.sequence * STATISTICS);
            for (head, statistics) in of_heads.enumerate() {
                one.scores(head, positions, scores);
                let rows = scores.chunks_exact_mut(positions);
                let rows = rows.zip(statistics.chunks_exact_mut(STATISTICS));
                for (row, (scores, statistics)) in rows.enumerate() {
                    let first = sizes.first(index, head, row);
                    let mask = &one.mask[..positions];
                    vectorized(
                        #[inline(always)]
                        || {
                            softmax(scores, mask, statistics);
                            drop_some(scores, dropout, first);
                        },
                    );
                }
                let probabilities = Part::rows(0, sizes.sequence, positions, positions);
                product(
                    (context, sizes.part(head, sizes.sequence)),
                    (scores, probabilities),
                    (one.value, sizes.part(head, positions)),
                    1.0,
                );
            }
        });
    (context, statistics)
}

/// The gradients of queries, keys and values.
pub(crate) struct AttentionGradients {
    pub(crate) query: Vec<f32>,
    pub(crate) key: Vec<f32>,
    pub(crate) value: Vec<f32>,
}

/// With probabilities P and their kept part M ∘ P: `V' = (M ∘ P)ᵀ C'`, `P' = M ∘ (C' Vᵀ)`,
/// `S' = P ∘ (P' − rowsum(P' ∘ P))`, `Q' = scale · S' K`, `K' = scale · S'ᵀ Q`.
pub(crate) fn backward(
    inputs: Inputs<'_>,
    statistics: &[f32],
    grad: &[f32],
    numbers: AttentionNumbers,
) -> AttentionGradients {
    let sizes = Sizes::new(&inputs, &numbers);
    let dropout = Mask::new(numbers.dropout);
    let zeros = || vec![0.0; inputs.query.len()];
    let (mut query, mut key, mut value) = (zeros(), zeros(), zeros());
    let rows = sizes.rows();
    query
        .par_chunks_mut(rows)
        .zip(key.par_chunks_mut(rows))
        .zip(value.par_chunks_mut(rows))
        .zip(grad.par_chunks(rows))
        .zip(statistics.par_chunks(sizes.heads * sizes.sequence * STATISTICS))
        .enumerate()
        .for_each_init(
            || (Vec::new(), Vec::new(), Vec::new()),
            |scratch, (index, ((((query, key), value), grad), statistics))| {
                let one = Sequence::new(inputs, sizes, index);
                let positions = one.positions();
                let (probabilities, kept, gradient) = scratch;
                for buffer in [&mut *probabilities, &mut *kept, &mut *gradient] {
                    buffer.resize(sizes.sequence * positions, 0.0);
                }
                let square = Part::rows(0, sizes.sequence, positions, positions);
                let of_heads = statistics.chunks_exact(sizes.sequence * STATISTICS);
                for (head, statistics) in of_heads.enumerate() {
                    let (all, seen) = (
                        sizes.part(head, sizes.sequence),
                        sizes.part(head, positions),
                    );
                    one.scores(head, positions, probabilities);
                    product(
                        (gradient, square),
                        (grad, all),
                        (one.value, seen.transposed()),
                        1.0,
                    );
                    let rows = probabilities
                        .chunks_exact_mut(positions)
                        .zip(kept.chunks_exact_mut(positions))
                        .zip(gradient.chunks_exact_mut(positions))
                        .zip(statistics.chunks_exact(STATISTICS));
                    for (row, (((probabilities, kept), gradient), statistics)) in rows.enumerate() {
                        let first = sizes.first(index, head, row);
                        let mask = &one.mask[..positions];
                        vectorized(
                            #[inline(always)]
                            || {
                                recompute(probabilities, mask, statistics);
                                kept.copy_from_slice(probabilities);
                                drop_some(kept, dropout, first);
                                drop_some(gradient, dropout, first);
                                let along = dot(gradient, probabilities);
                                for (g, &p) in gradient.iter_mut().zip(probabilities.iter()) {
                                    *g = p * (*g - along);
                                }
                            },
                        );
                    }
                    let scale = sizes.scale();
                    let transposed = square.transposed();
                    product((value, seen), (kept, transposed), (grad, all), 1.0);
                    product((query, all), (gradient, square), (one.key, seen), scale);
                    product((key, seen), (gradient, transposed), (one.query, all), scale);
                }
            },
        );
    AttentionGradients { query, key, value }
}

/// The inputs of one sequence.
struct Sequence<'a> {
    query: &'a [f32],
    key: &'a [f32],
    value: &'a [f32],
    mask: &'a [f32],
    sizes: Sizes,
}

impl<'a> Sequence<'a> {
    fn new(inputs: Inputs<'a>, sizes: Sizes, index: usize) -> Self {
        let at = index * sizes.rows()..(index + 1) * sizes.rows();
        Self {
            query: &inputs.query[at.clone()],
            key: &inputs.key[at.clone()],
            value: &inputs.value[at],
            mask: &inputs.mask[index * sizes.sequence..(index + 1) * sizes.sequence],
            sizes,
        }
    }

    /// Behind this position every key is masked, and its probability is exactly 0. Where all are masked none is: they
    /// then share the attention evenly.
    fn positions(&self) -> usize {
        let last = self.mask.iter().rposition(|&mask| mask == 0.0);
        last.map_or(self.sizes.sequence, |last| last + 1)
    }

    /// `scale · Q Kᵀ` of one head, `[S, L]`.
    fn scores(&self, head: usize, positions: usize, scores: &mut [f32]) {
        let sizes = &self.sizes;
        product(
            (scores, Part::rows(0, sizes.sequence, positions, positions)),
            (self.query, sizes.part(head, sizes.sequence)),
            (self.key, sizes.part(head, positions).transposed()),
            sizes.scale(),
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

#[inline(always)]
fn drop_some(values: &mut [f32], dropout: Option<Mask>, first: u32) {
    if let Some(dropout) = dropout {
        for (index, value) in values.iter_mut().enumerate() {
            *value *= dropout.factor(first.wrapping_add(index as u32));
        }
    }
}
