//! Scaled dot-product attention, forward and backward, one sequence and head at a time, so that scores stay in the cache.
//!
//! Ragged sequences are consecutive, without gaps: T keys and Q queries in all. Of one sequence: S keys, R queries, and L keys up to
//! the last one that is not masked. N heads, D head width, H = N · D.

mod block;
mod layout;
mod sequence;
mod softmax;

pub(crate) use layout::{Gradient, Inputs, Layout};

use block::Block;
use layout::{Sizes, Which, split};
use sequence::Sequence;
use softmax::{STATISTICS, drop_row, recompute, softmax};

use super::dropout::Mask;
use super::gemm::small::{small_matmul, small_matmul_add};
use super::reduce::dot;
use super::simd::vectorized;
use super::threads::{each, is_little};
use crate::params::AttentionParams;

/// The floating-point operations of the two products of each head.
fn operations(sequences: &[Sequence<'_>]) -> usize {
    let scores = |one: &Sequence<'_>| one.blocks().iter().map(Block::len).sum::<usize>();
    let of_one = |one: &Sequence<'_>| 4 * scores(one) * one.sizes.width();
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
            let blocks = one.blocks();
            let of_heads = statistics.chunks_exact_mut(one.queries.count.max(1) * STATISTICS);
            for (head, statistics) in of_heads.enumerate() {
                for block in &blocks {
                    scores.resize(block.len(), 0.0);
                    let statistics = &mut statistics[block.of_queries(STATISTICS)];
                    probabilities(&one, head, block, dropout, scores, statistics);
                    small_matmul(
                        (context, sizes.context(head, block.queries.clone())),
                        (scores, block.view()),
                        one.view(Which::Values, head, block.keys.clone()),
                        1.0,
                    );
                }
            }
        },
    );
    (context, statistics)
}

/// The probabilities of a block after their dropout, and the statistics of its rows.
fn probabilities(
    one: &Sequence<'_>,
    head: usize,
    block: &Block,
    dropout: Option<Mask>,
    scores: &mut [f32],
    statistics: &mut [f32],
) {
    one.scores(head, block, scores);
    let rows = scores
        .chunks_exact_mut(block.keys.len())
        .zip(statistics.chunks_exact_mut(STATISTICS))
        .zip(block.queries.clone());
    vectorized(
        #[inline(always)]
        || {
            for ((scores, statistics), query) in rows {
                let (seen, mask) = one.seen(block, query, scores);
                softmax(seen, mask, statistics);
                if let Some(dropout) = dropout {
                    dropout.apply(scores, one.score_index(head, query, block.keys.start));
                }
            }
        },
    );
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
            let blocks = one.blocks();
            let rows = one.queries;
            let grad = &grad[rows.elements(sizes.width())];
            let statistics = &statistics[rows.elements(sizes.heads * STATISTICS)];
            let of_heads = statistics.chunks_exact(rows.count.max(1) * STATISTICS);
            for (head, statistics) in of_heads.enumerate() {
                for block in &blocks {
                    scratch.resize(block.len());
                    let of_block = BlockOfHead {
                        one,
                        head,
                        block,
                        statistics: &statistics[block.of_queries(STATISTICS)],
                    };
                    of_block.backward(grad, &mut out, dropout, scratch);
                }
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

/// One head of one block of a sequence.
struct BlockOfHead<'a> {
    one: Sequence<'a>,
    head: usize,
    block: &'a Block,
    statistics: &'a [f32],
}

impl BlockOfHead<'_> {
    fn backward(
        &self,
        grad: &[f32],
        out: &mut Gradient<&mut [f32]>,
        dropout: Option<Mask>,
        scratch: &mut Scratch,
    ) {
        let Self {
            one, head, block, ..
        } = *self;
        let (sizes, scores) = (&one.sizes, block.view());
        let (queries, keys) = (|| block.queries.clone(), || block.keys.clone());
        let context = (grad, sizes.context(head, queries()));
        let (values, view) = one.view(Which::Values, head, keys());
        one.scores(head, block, &mut scratch.probabilities);
        small_matmul(
            (&mut scratch.gradient, scores),
            context,
            (values, view.transposed()),
            1.0,
        );
        self.differentiate_scores(dropout, scratch);
        let Scratch { kept, gradient, .. } = scratch;
        let (transposed, scale) = (scores.transposed(), sizes.scale());
        // Blocks under a window share keys.
        let add = match one.window {
            None => small_matmul,
            Some(_) => small_matmul_add,
        };
        add(
            out.view(Which::Values, sizes, head, keys()),
            (kept, transposed),
            context,
            1.0,
        );
        small_matmul(
            out.view(Which::Queries, sizes, head, queries()),
            (gradient, scores),
            one.view(Which::Keys, head, keys()),
            scale,
        );
        add(
            out.view(Which::Keys, sizes, head, keys()),
            (gradient, transposed),
            one.view(Which::Queries, head, queries()),
            scale,
        );
    }

    /// Turns scores and C' Vᵀ into M ∘ P and S'.
    fn differentiate_scores(&self, dropout: Option<Mask>, scratch: &mut Scratch) {
        let Self {
            one,
            head,
            block,
            statistics,
        } = *self;
        let keys = block.keys.len();
        let rows = scratch
            .probabilities
            .chunks_exact_mut(keys)
            .zip(scratch.kept.chunks_exact_mut(keys))
            .zip(scratch.gradient.chunks_exact_mut(keys))
            .zip(statistics.chunks_exact(STATISTICS))
            .zip(block.queries.clone());
        vectorized(
            #[inline(always)]
            || {
                for ((((probabilities, kept), gradient), statistics), query) in rows {
                    let (seen, mask) = one.seen(block, query, probabilities);
                    recompute(seen, mask, statistics);
                    let first = one.score_index(head, query, block.keys.start);
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
