//! The scores of a block: a row for each key, and in it a lane for each of W queries. So queries share the arithmetic of
//! registers, and no sum or maximum is taken across lanes.

use pulp::Simd;

use super::block::Block;
use super::layout::Which;
use super::positions::Place;
use super::relative::Relative;
use super::sequence::Sequence;
use crate::cpu::gemm::small::{Update, small_matmul};
use crate::cpu::gemm::transpose::{SIDE, interleave};
use crate::cpu::view::View;

/// The rows of a matrix `[R, D]`, times `scale`, as lanes: `[D, W]`. Lanes without a row are zero.
#[inline(always)]
pub(super) fn pack_lanes<const W: usize>(
    lanes: &mut Vec<f32>,
    (slice, view): (&[f32], View),
    scale: f32,
) {
    lanes.clear();
    lanes.resize(view.columns * W, 0.0);
    let (lanes, _) = lanes.as_chunks_mut::<W>();
    put_lanes(lanes, (slice, view), |place, element| {
        *place = element * scale
    });
}

/// Calls `put` with each element of a matrix `[R, D]` and its place in lanes `[D, W]`.
#[inline(always)]
pub(super) fn put_lanes<const W: usize>(
    lanes: &mut [[f32; W]],
    (slice, view): (&[f32], View),
    put: impl Fn(&mut f32, f32),
) {
    let row = |row: usize| &slice[view.start + row * view.row_stride..][..view.columns];
    let whole = view.rows - view.rows % SIDE;
    for first in (0..whole).step_by(SIDE) {
        let rows = std::array::from_fn(|index| row(first + index));
        interleave(lanes, first, rows, |places, elements| {
            for (place, element) in places.iter_mut().zip(elements) {
                put(place, element);
            }
        });
    }
    for lane in whole..view.rows {
        for (lanes, &element) in lanes.iter_mut().zip(row(lane)) {
            put(&mut lanes[lane], element);
        }
    }
}

/// Room for what scores are computed from: lanes of queries, keys in single precision, and products with positions.
#[derive(Default)]
pub(super) struct ScoresRoom {
    pub(super) lanes: Vec<f32>,
    pub(super) widened: Vec<f32>,
    pub(super) by_distance: Vec<f32>,
}

/// One head of one block of a sequence.
pub(super) struct BlockOfHead<'a> {
    pub(super) one: &'a Sequence<'a>,
    pub(super) head: usize,
    pub(super) block: &'a Block,
}

impl<'a> BlockOfHead<'a> {
    pub(super) fn place(&self) -> Place<'a> {
        Place {
            head: self.head,
            block: self.block,
        }
    }

    /// Its queries, or the keys or values that they see, widened into `room` if need be.
    #[inline(always)]
    pub(super) fn view<'b>(&self, which: Which, room: &'b mut Vec<f32>) -> (&'b [f32], View)
    where
        'a: 'b,
    {
        let rows = match which {
            Which::Queries => &self.block.queries,
            Which::Keys | Which::Values => &self.block.keys,
        };
        self.one.view(which, (self.head, rows.clone()), room)
    }

    /// The products of rows of keys or values with packed lanes, `[L, W]`.
    #[inline(always)]
    pub(super) fn products<S: Simd, const W: usize>(
        &self,
        simd: S,
        (rows, view): (&[f32], View),
        lanes: &[f32],
        out: &mut Vec<f32>,
    ) {
        out.resize(view.rows * W, 0.0);
        small_matmul(
            simd,
            (out, View::rows(0, view.rows, W, W)),
            (rows, view),
            (lanes, View::rows(0, view.columns, W, W)),
            Update::Write,
        );
    }

    /// `scale · K Qᵀ` and what is added to it.
    #[inline(always)]
    pub(super) fn scores<S: Simd, const W: usize>(
        &self,
        simd: S,
        room: &mut ScoresRoom,
        scores: &mut Vec<f32>,
    ) {
        let ScoresRoom {
            lanes,
            widened,
            by_distance,
        } = room;
        let positions = self.one.relative.and_then(Relative::positions);
        let (place, scale) = (self.place(), self.one.sizes.scale());
        let queries = self.view(Which::Queries, widened);
        pack_lanes::<W>(lanes, queries, scale);
        if let Some(positions) = positions {
            positions.of_queries(simd, queries, place, by_distance);
        }
        let keys = self.view(Which::Keys, widened);
        self.products::<S, W>(simd, keys, lanes, scores);
        let (scores, _) = scores.as_chunks_mut::<W>();
        if let Some(positions) = positions {
            positions.add_of_queries(by_distance, scores, place, scale);
            positions.add_of_keys(simd, keys, scores, place, (by_distance, scale));
        }
        if let Some(Relative::Bias(bias)) = self.one.relative {
            bias.add_to(scores, self.head, self.block);
        }
        self.mask(scores);
        if let Some(window) = self.one.window {
            self.hide_far(scores, window);
        }
    }

    #[inline(always)]
    fn mask<const W: usize>(&self, scores: &mut [[f32; W]]) {
        let masks = &self.one.mask[self.block.keys.clone()];
        for (scores, &mask) in scores.iter_mut().zip(masks) {
            if mask != 0.0 {
                for score in scores {
                    *score += mask;
                }
            }
        }
    }

    /// Gives keys beyond a query's window the lowest score. A query whose window is masked sees them all alike.
    #[inline(always)]
    fn hide_far<const W: usize>(&self, scores: &mut [[f32; W]], window: usize) {
        let (first, window) = (self.block.queries.start as i32, window as u32);
        for (scores, key) in scores.iter_mut().zip(self.block.keys.clone()) {
            let first = first - key as i32;
            for (lane, score) in scores.iter_mut().enumerate() {
                if (first + lane as i32).unsigned_abs() > window {
                    *score = f32::MIN;
                }
            }
        }
    }

    /// The dropout index of each query's score with the sequence's first key. That of the next key follows.
    #[inline(always)]
    pub(super) fn score_indices<const W: usize>(&self) -> [u32; W] {
        std::array::from_fn(|lane| {
            let query = self.block.queries.start + lane;
            self.one.first_score_index(self.head, query)
        })
    }
}
