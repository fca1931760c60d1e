//! One sequence of a call.

use super::layout::{Inputs, Layout, Rows, Sizes, Which};
use crate::cpu::gemm::small::small_matmul;
use crate::cpu::view::View;
use crate::params::AttentionParams;

/// One sequence.
#[derive(Clone, Copy)]
pub(super) struct Sequence<'a> {
    pub(super) queries: Rows,
    layout: Layout<'a>,
    pub(super) mask: &'a [f32],
    pub(super) sizes: Sizes,
}

impl<'a> Sequence<'a> {
    pub(super) fn all(inputs: Inputs<'a>, sizes: Sizes, params: &AttentionParams) -> Vec<Self> {
        Rows::of_each(&params.query_lengths)
            .zip(Rows::of_each(&params.lengths))
            .map(|(queries, keys)| Self {
                queries,
                layout: inputs.layout.of(&queries, &keys, sizes.width()),
                mask: &inputs.mask[keys.elements(1)],
                sizes,
            })
            .collect()
    }

    /// The number L of keys up to the last one that is not masked. The probabilities of later keys are exactly 0. If all keys are
    /// masked, all count, and attention is uniform.
    pub(super) fn positions(&self) -> usize {
        let last = self.mask.iter().rposition(|&mask| mask == 0.0);
        last.map_or(self.mask.len(), |last| last + 1)
    }

    pub(super) fn view(&self, which: Which, head: usize, rows: usize) -> (&'a [f32], View) {
        self.layout.view(which, &self.sizes, head, rows)
    }

    /// `scale · Q Kᵀ` of one head, `[R, L]`.
    pub(super) fn scores(&self, head: usize, positions: usize, scores: &mut [f32]) {
        let rows = self.queries.count;
        let (keys, view) = self.view(Which::Keys, head, positions);
        small_matmul(
            (scores, View::rows(0, rows, positions, positions)),
            self.view(Which::Queries, head, rows),
            (keys, view.transposed()),
            self.sizes.scale(),
        );
    }

    /// The dropout index of the first score of a row.
    pub(super) fn first_score(&self, head: usize, row: usize) -> u32 {
        let rows = (self.queries.first + row) * self.sizes.heads + head;
        (rows as u32).wrapping_mul(self.sizes.longest as u32)
    }
}
