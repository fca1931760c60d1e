//! The backward pass.

use pulp::{Simd, WithSimd};

use super::are_little;
use super::bias::Bias;
use super::block::{Block, FEW_QUERIES, QUERIES};
use super::layout::{Gradient, Inputs, Sizes, Which};
use super::scores::{BlockOfHead, pack_lanes};
use super::sequence::Sequence;
use super::softmax::{LaneDropout, Probabilities, STATISTICS, Statistics};
use crate::cpu::dropout::Mask;
use crate::cpu::gemm::small::{Update, small_matmul};
use crate::cpu::simd::arch;
use crate::cpu::threads::each;
use crate::params::AttentionParams;

/// The gradients of queries, keys and values, and of a bias `[N, 2 · L]` if there is one. With probabilities P and the dropout mask M: `V' = (M ∘ P)ᵀ C'`,
/// `P' = M ∘ (C' Vᵀ)`, `S' = P ∘ (P' − rowsum(P' ∘ P))`, `Q' = scale · S' K`, `K' = scale · S'ᵀ Q`. The bias of a distance has
/// the sum of its `S'`.
pub(crate) fn backward(
    inputs: Inputs<'_>,
    statistics: &[f32],
    grad: &[f32],
    params: &AttentionParams,
) -> (Gradient<Vec<f32>>, Option<Vec<f32>>) {
    let sizes = Sizes::new(&inputs, params);
    let dropout = Mask::new(params.dropout);
    let mut gradient = Gradient::zeros(inputs.operands);
    let sequences = Sequence::all(inputs, sizes, params);
    let are_little = are_little(&sequences);
    let gradients = gradient.split(params, sizes.width());
    let items = sequences.into_iter().zip(gradients);
    let items = items.map(|(one, out)| OneSequence {
        grad: &grad[one.queries.elements(sizes.width())],
        statistics: &statistics[one.queries.elements(sizes.heads * STATISTICS)],
        one,
        dropout,
        out,
        of_bias: one.bias.map(Bias::gradient),
    });
    let of_bias = each(
        items.collect(),
        are_little,
        Room::default,
        |room, sequence| arch().dispatch(Running(sequence, room)),
    );
    let of_bias = inputs.bias.map(|bias| {
        let of_bias: Vec<Bias> = of_bias.into_iter().flatten().collect();
        Bias::sum(&of_bias, bias, sizes.scale().recip())
    });
    (gradient, of_bias)
}

struct OneSequence<'a> {
    one: Sequence<'a>,
    dropout: Option<Mask>,
    statistics: &'a [f32],
    grad: &'a [f32],
    out: Gradient<&'a mut [f32]>,
    /// Of the bias, times the scale.
    of_bias: Option<Bias>,
}

/// Lanes, and three matrices of scores.
#[derive(Default)]
struct Room {
    lanes: Vec<f32>,
    scores: Vec<f32>,
    kept: Vec<f32>,
    gradient: Vec<f32>,
    widened: Vec<f32>,
}

struct Running<'a, 'b>(OneSequence<'a>, &'b mut Room);

impl WithSimd for Running<'_, '_> {
    type Output = Option<Bias>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Option<Bias> {
        let Self(mut sequence, room) = self;
        let one = sequence.one;
        for head in 0..one.sizes.heads {
            for block in one.blocks() {
                if block.queries.len() <= FEW_QUERIES {
                    sequence.block::<S, FEW_QUERIES>(simd, head, &block, room);
                } else {
                    sequence.block::<S, QUERIES>(simd, head, &block, room);
                }
            }
        }
        sequence.of_bias
    }
}

impl OneSequence<'_> {
    #[inline(always)]
    fn block<S: Simd, const W: usize>(
        &mut self,
        simd: S,
        head: usize,
        block: &Block,
        room: &mut Room,
    ) {
        let one = &self.one;
        let of_head = BlockOfHead { one, head, block };
        let Room {
            lanes,
            scores,
            kept,
            gradient,
            widened,
        } = room;
        let context = one.sizes.context(head, block.queries.clone());
        of_head.scores::<S, W>(simd, lanes, widened, scores);
        pack_lanes::<W>(lanes, (self.grad, context), 1.0);
        let values = of_head.view(Which::Values, widened);
        of_head.products::<S, W>(simd, values, lanes, gradient);
        kept.resize(scores.len(), 0.0);
        let probabilities = Probabilities::<W> {
            scores: scores.as_chunks_mut().0,
            kept: kept.as_chunks_mut().0,
            gradient: gradient.as_chunks_mut().0,
        };
        let dropout = self.dropout.map(|mask| LaneDropout {
            mask,
            indices: of_head.score_indices(),
        });
        let heads = one.sizes.heads;
        let rows = block.queries.start * heads * STATISTICS;
        let statistics = Statistics::saved(&self.statistics[rows..], head, heads);
        let (keys, scale) = (block.keys.clone(), one.sizes.scale());
        probabilities.differentiate(simd, keys.clone(), &statistics, dropout, scale);
        if let Some(of_bias) = &mut self.of_bias {
            of_bias.add_gradient::<W>(gradient.as_chunks().0, head, block);
        }

        let by_keys = block.scores::<W>();
        let out = &mut self.out;
        // Blocks share keys.
        small_matmul(
            simd,
            out.view(Which::Values, &one.sizes, head, keys.clone()),
            (kept, by_keys),
            (self.grad, context),
            Update::Add,
        );
        small_matmul(
            simd,
            out.view(Which::Queries, &one.sizes, head, block.queries.clone()),
            (gradient, by_keys.transposed()),
            of_head.view(Which::Keys, widened),
            Update::Write,
        );
        small_matmul(
            simd,
            out.view(Which::Keys, &one.sizes, head, keys),
            (gradient, by_keys),
            of_head.view(Which::Queries, widened),
            Update::Add,
        );
    }
}
