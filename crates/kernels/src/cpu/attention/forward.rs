//! The forward pass.

use pulp::{Simd, WithSimd};

use super::are_little;
use super::block::{Block, FEW_QUERIES, QUERIES};
use super::block_lengths;
use super::layout::{Inputs, Sizes, Which, split};
use super::scores::{BlockOfHead, ScoresRoom};
use super::sequence::Sequence;
use super::softmax::{LaneDropout, STATISTICS, softmax};
use crate::cpu::dropout::Mask;
use crate::cpu::gemm::small::{Update, small_matmul};
use crate::cpu::simd::arch;
use crate::cpu::threads::each;
use crate::params::AttentionParams;

/// The context `[Q, H]`, and what the backward pass needs, `[Q, N, 2]`.
pub(crate) fn forward(inputs: Inputs<'_>, params: &AttentionParams) -> (Vec<f32>, Vec<f32>) {
    let sizes = Sizes::new(&inputs, params);
    let dropout = Mask::new(params.dropout);
    let sequences = Sequence::all(inputs, sizes, params);
    let lengths = block_lengths(&sequences);
    let rows: usize = lengths.iter().sum();
    let mut context = vec![0.0; rows * sizes.width()];
    let mut statistics = vec![0.0; rows * sizes.heads * STATISTICS];
    let contexts = split(&mut context, &lengths, sizes.width());
    let of_blocks = split(&mut statistics, &lengths, sizes.heads * STATISTICS);
    let blocks = sequences
        .iter()
        .flat_map(|one| one.blocks().map(move |block| (one, block)));
    let items = blocks.zip(contexts).zip(of_blocks);
    let items = items.map(|(((one, block), context), statistics)| OneBlock {
        one,
        block,
        dropout,
        context,
        statistics,
    });
    each(
        items.collect(),
        are_little(&sequences),
        Room::default,
        |room, block| arch().dispatch(Running(block, room)),
    );
    (context, statistics)
}

/// A block of all heads.
struct OneBlock<'a> {
    one: &'a Sequence<'a>,
    block: Block,
    dropout: Option<Mask>,
    context: &'a mut [f32],
    statistics: &'a mut [f32],
}

#[derive(Default)]
struct Room {
    scores: Vec<f32>,
    of_scores: ScoresRoom,
}

struct Running<'a, 'b>(OneBlock<'a>, &'b mut Room);

impl WithSimd for Running<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self(mut block, room) = self;
        for head in 0..block.one.sizes.heads {
            if block.block.queries.len() <= FEW_QUERIES {
                block.head::<S, FEW_QUERIES>(simd, head, room);
            } else {
                block.head::<S, QUERIES>(simd, head, room);
            }
        }
    }
}

impl OneBlock<'_> {
    #[inline(always)]
    fn head<S: Simd, const W: usize>(&mut self, simd: S, head: usize, room: &mut Room) {
        let Self { one, block, .. } = self;
        let of_head = BlockOfHead { one, head, block };
        let Room { scores, of_scores } = room;
        of_head.scores::<S, W>(simd, of_scores, scores);
        let dropout = self.dropout.map(|mask| LaneDropout {
            mask,
            indices: of_head.score_indices(),
        });
        let (lanes, _) = scores.as_chunks_mut::<W>();
        let statistics = softmax(lanes, block.keys.clone(), dropout);
        let context = one.sizes.context(head, 0..block.queries.len());
        small_matmul(
            simd,
            (self.context, context),
            (scores, block.scores::<W>().transposed()),
            of_head.view(Which::Values, &mut of_scores.widened),
            Update::Write,
        );
        let rows = self.context.chunks_exact_mut(one.sizes.width());
        for (row, inverse) in rows.zip(statistics.inverse) {
            for element in &mut row[context.start..context.start + context.columns] {
                *element *= inverse;
            }
        }
        statistics.save(self.statistics, head, one.sizes.heads);
    }
}
