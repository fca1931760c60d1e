//! The backward pass.

use pulp::{Simd, WithSimd};

use super::are_little;
use super::block::{Block, FEW_QUERIES, QUERIES};
use super::layout::{Gradient, Inputs, Sizes, Which};
use super::positions::GradientOperands;
use super::relative::{Relative, RelativeGradient};
use super::scores::{BlockOfHead, ScoresRoom, pack_lanes};
use super::sequence::Sequence;
use super::softmax::{LaneDropout, Probabilities, STATISTICS, Statistics};
use crate::cpu::dropout::Mask;
use crate::cpu::gemm::small::{Update, small_matmul};
use crate::cpu::simd::arch;
use crate::cpu::threads::each;
use crate::params::AttentionParams;

/// The gradients of queries, keys and values, and of what distances add. With probabilities P and the dropout mask M:
/// `V' = (M ∘ P)ᵀ C'`, `P' = M ∘ (C' Vᵀ)`, `S' = P ∘ (P' − rowsum(P' ∘ P))`, `Q' = scale · S' K`, `K' = scale · S'ᵀ Q`. The
/// bias of a distance has the sum of its `S'`; the vector of a distance has the sum of the `scale · S'` of its pairs, each times
/// the query or the key that it is multiplied with, which in turn gets the same of the vector.
pub(crate) fn backward(
    inputs: Inputs<'_>,
    statistics: &[f32],
    grad: &[f32],
    params: &AttentionParams,
) -> (Gradient<Vec<f32>>, Vec<Vec<f32>>) {
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
        of_relative: one.relative.map(|relative| relative.gradient(&one)),
    });
    let of_relative = each(
        items.collect(),
        are_little,
        Room::default,
        |room, sequence| arch().dispatch(Running(sequence, room)),
    );
    let of_relative = inputs.relative.map_or(Vec::new(), |relative| {
        let of_sequences = of_relative.into_iter().flatten().collect();
        relative.sum(of_sequences, sizes.scale())
    });
    (gradient, of_relative)
}

struct OneSequence<'a> {
    one: Sequence<'a>,
    dropout: Option<Mask>,
    statistics: &'a [f32],
    grad: &'a [f32],
    out: Gradient<&'a mut [f32]>,
    of_relative: Option<RelativeGradient>,
}

/// Three matrices of scores, and room for what they are computed from.
#[derive(Default)]
struct Room {
    scores: Vec<f32>,
    kept: Vec<f32>,
    gradient: Vec<f32>,
    of_scores: ScoresRoom,
}

struct Running<'a, 'b>(OneSequence<'a>, &'b mut Room);

impl WithSimd for Running<'_, '_> {
    type Output = Option<RelativeGradient>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Option<RelativeGradient> {
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
        sequence.of_relative
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
            scores,
            kept,
            gradient,
            of_scores,
        } = room;
        let context = one.sizes.context(head, block.queries.clone());
        of_head.scores::<S, W>(simd, of_scores, scores);
        let ScoresRoom { lanes, widened, .. } = of_scores;
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
        self.add_relative::<S, W>(simd, head, block, room);
    }

    /// The gradients of what distances add, and of what it is multiplied with, from that of a block's scores.
    #[inline(always)]
    fn add_relative<S: Simd, const W: usize>(
        &mut self,
        simd: S,
        head: usize,
        block: &Block,
        room: &mut Room,
    ) {
        let one = &self.one;
        let of_head = BlockOfHead { one, head, block };
        let (gradient, _) = room.gradient.as_chunks::<W>();
        let (positions, of_positions) = match (one.relative, &mut self.of_relative) {
            (_, Some(RelativeGradient::Bias(of_bias))) => {
                return of_bias.add_gradient::<W>(gradient, head, block);
            }
            (Some(Relative::Positions(positions)), Some(RelativeGradient::Positions(of))) => {
                (positions, of)
            }
            _ => return,
        };
        let (widened, by_distance) = (&mut room.of_scores.widened, &mut room.of_scores.by_distance);
        let (out, place) = (&mut self.out, of_head.place());
        let operands = GradientOperands {
            rows: of_head.view(Which::Queries, widened),
            of_rows: out.view(Which::Queries, &one.sizes, head, block.queries.clone()),
            room: by_distance,
        };
        positions.add_gradient_of_queries(simd, gradient, place, operands, of_positions);
        let operands = GradientOperands {
            rows: of_head.view(Which::Keys, widened),
            of_rows: out.view(Which::Keys, &one.sizes, head, block.keys.clone()),
            room: by_distance,
        };
        positions.add_gradient_of_keys(simd, gradient, place, operands, of_positions);
    }
}
