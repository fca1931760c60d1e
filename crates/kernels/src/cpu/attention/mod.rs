//! Scaled dot-product attention, forward and backward, one sequence and head at a time, so that scores stay in the cache.
//!
//! Ragged sequences are consecutive, without gaps: T keys and Q queries in all. Of one sequence: S keys, R queries, and L keys up to
//! the last one that is not masked. N heads, D head width, H = N · D.

mod layout;
mod sequence;
mod softmax;

pub(crate) use layout::{Gradient, Inputs, Layout};

use layout::{Sizes, Which, split};
use sequence::Sequence;
use softmax::{STATISTICS, drop_row, recompute, softmax};

use super::dropout::Mask;
use super::gemm::small::small_matmul;
use super::reduce::dot;
use super::simd::vectorized;
use super::threads::{each, is_little};
use super::view::View;
use crate::params::AttentionParams;

/// The floating-point operations of the two products of each head.
fn operations(sequences: &[Sequence<'_>]) -> usize {
    let of_one = |one: &Sequence<'_>| 4 * one.queries.count * one.positions() * one.sizes.width();
    sequences.iter().map(of_one).sum()
}

/// The context `[Q, H]`, and what the backward pass needs, `[Q, N, 2]`.
pub(crate) fn forward(inputs: Inputs<'_>, params: &AttentionParams) -> (Vec<f32>, Vec<f32>) {
    let sizes = Sizes::new(&inputs, params);
    let dropout = Mask::new(params.dropout);
    let lengths = &params.query_lengths;
    let rows: usize = lengths.iter().sum();
    let mut context = vec![0.0; rows * sizes.width()];
    let mut statistics = vec![0.0; rows * sizes.heads * STATISTICS];
    let contexts = split(&mut context, lengths, sizes.width());
    let of_heads = split(&mut statistics, lengths, sizes.heads * STATISTICS);
    let sequences = Sequence::all(inputs, sizes, params);
    let is_little = is_little(operations(&sequences));
    each(
        sequences.into_iter().zip(contexts).zip(of_heads).collect(),
        is_little,
        Vec::new,
        |scores, ((one, context), statistics)| {
            let (rows, positions) = (one.queries.count, one.positions());
            scores.resize(rows * positions, 0.0);
            let of_heads = statistics.chunks_exact_mut(rows.max(1) * STATISTICS);
            for (head, statistics) in of_heads.enumerate() {
                one.scores(head, positions, scores);
                let each = scores.chunks_exact_mut(positions);
                let each = each.zip(statistics.chunks_exact_mut(STATISTICS));
                vectorized(
                    #[inline(always)]
                    || {
                        for (row, (scores, statistics)) in each.enumerate() {
                            softmax(scores, &one.mask[..positions], statistics);
                            if let Some(dropout) = dropout {
                                dropout.apply(scores, one.first_score(head, row));
                            }
                        }
                    },
                );
                small_matmul(
                    (context, sizes.context(head, rows)),
                    (scores, View::rows(0, rows, positions, positions)),
                    one.view(Which::Values, head, positions),
                    1.0,
                );
            }
        },
    );
    (context, statistics)
}

/// The gradients of queries, keys and values. With probabilities P and the dropout mask M: `V' = (M ∘ P)ᵀ C'`,
/// `P' = M ∘ (C' Vᵀ)`, `S' = P ∘ (P' − rowsum(P' ∘ P))`, `Q' = scale · S' K`, `K' = scale · S'ᵀ Q`.
pub(crate) fn backward(
    inputs: Inputs<'_>,
    statistics: &[f32],
    grad: &[f32],
    params: &AttentionParams,
) -> Gradient<Vec<f32>> {
    let sizes = Sizes::new(&inputs, params);
    let dropout = Mask::new(params.dropout);
    let mut gradient = Gradient::zeros(inputs.layout);
    let sequences = Sequence::all(inputs, sizes, params);
    let is_little = is_little(operations(&sequences));
    let gradients = gradient.split(params, sizes.width());
    each(
        sequences.into_iter().zip(gradients).collect(),
        is_little,
        Scratch::default,
        |scratch, (one, mut out)| {
            let positions = one.positions();
            let rows = one.queries;
            let grad = &grad[rows.elements(sizes.width())];
            let statistics = &statistics[rows.elements(sizes.heads * STATISTICS)];
            scratch.resize(rows.count * positions);
            let of_heads = statistics.chunks_exact(rows.count.max(1) * STATISTICS);
            for (head, statistics) in of_heads.enumerate() {
                let of_head = Head {
                    one,
                    head,
                    positions,
                    statistics,
                };
                of_head.backward(grad, &mut out, dropout, scratch);
            }
        },
    );
    gradient
}

/// Three matrices of scores.
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

/// One head of one sequence.
struct Head<'a> {
    one: Sequence<'a>,
    head: usize,
    positions: usize,
    statistics: &'a [f32],
}

impl Head<'_> {
    fn backward(
        &self,
        grad: &[f32],
        out: &mut Gradient<&mut [f32]>,
        dropout: Option<Mask>,
        scratch: &mut Scratch,
    ) {
        let Self {
            one,
            head,
            positions,
            ..
        } = *self;
        let (rows, sizes) = (one.queries.count, &one.sizes);
        let context = (grad, sizes.context(head, rows));
        let (values, view) = one.view(Which::Values, head, positions);
        let scores = View::rows(0, rows, positions, positions);
        one.scores(head, positions, &mut scratch.probabilities);
        small_matmul(
            (&mut scratch.gradient, scores),
            context,
            (values, view.transposed()),
            1.0,
        );
        self.differentiate_scores(dropout, scratch);
        let Scratch { kept, gradient, .. } = scratch;
        let (transposed, scale) = (scores.transposed(), sizes.scale());
        small_matmul(
            out.view(Which::Values, sizes, head, positions),
            (kept, transposed),
            context,
            1.0,
        );
        small_matmul(
            out.view(Which::Queries, sizes, head, rows),
            (gradient, scores),
            one.view(Which::Keys, head, positions),
            scale,
        );
        small_matmul(
            out.view(Which::Keys, sizes, head, positions),
            (gradient, transposed),
            one.view(Which::Queries, head, rows),
            scale,
        );
    }

    /// Turns scores and C' Vᵀ into M ∘ P and S'.
    fn differentiate_scores(&self, dropout: Option<Mask>, scratch: &mut Scratch) {
        let Self {
            one,
            head,
            positions,
            statistics,
        } = *self;
        let rows = scratch
            .probabilities
            .chunks_exact_mut(positions)
            .zip(scratch.kept.chunks_exact_mut(positions))
            .zip(scratch.gradient.chunks_exact_mut(positions))
            .zip(statistics.chunks_exact(STATISTICS));
        vectorized(
            #[inline(always)]
            || {
                for (row, (((probabilities, kept), gradient), statistics)) in rows.enumerate() {
                    recompute(probabilities, &one.mask[..positions], statistics);
                    let first = one.first_score(head, row);
                    drop_row(probabilities, kept, gradient, dropout, first);
                    let along = dot(gradient, probabilities);
                    for (g, &p) in gradient.iter_mut().zip(probabilities.iter()) {
                        *g = p * (*g - along);
                    }
                }
            },
        );
    }
}
