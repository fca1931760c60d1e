//! One sequence of a call.

use std::ops::Range;

use super::layout::{Inputs, Operands, Rows, Sizes, Which};
use super::relative::Relative;
use crate::cpu::view::View;
use crate::params::AttentionParams;

/// One sequence.
#[derive(Clone, Copy)]
pub(super) struct Sequence<'a> {
    pub(super) queries: Rows,
    operands: Operands<'a>,
    pub(super) mask: &'a [f32],
    pub(super) relative: Option<&'a Relative>,
    pub(super) sizes: Sizes,
    /// How far a query sees to each side, where that hides a key of this sequence.
    pub(super) window: Option<usize>,
}

impl<'a> Sequence<'a> {
    pub(super) fn all(inputs: Inputs<'a>, sizes: Sizes, params: &AttentionParams) -> Vec<Self> {
        Rows::of_each(&params.query_lengths)
            .zip(Rows::of_each(&params.lengths))
            .map(|(queries, keys)| Self {
                queries,
                operands: inputs.operands.of(&queries, &keys, sizes.width()),
                mask: &inputs.mask[keys.elements(1)],
                relative: inputs.relative,
                sizes,
                window: params.window.filter(|window| keys.count > window + 1),
            })
            .collect()
    }

    /// The number L of keys up to the last one that is not masked. The probabilities of later keys are exactly 0. If all keys are
    /// masked, all count, and attention is uniform.
    pub(super) fn positions(&self) -> usize {
        let last = self.mask.iter().rposition(|&mask| mask == 0.0);
        last.map_or(self.mask.len(), |last| last + 1)
    }

    /// Some rows of one head, widened into `room` if need be.
    #[inline(always)]
    pub(super) fn view<'b>(
        &self,
        which: Which,
        (head, rows): (usize, Range<usize>),
        room: &'b mut Vec<f32>,
    ) -> (&'b [f32], View)
    where
        'a: 'b,
    {
        self.operands.view(which, &self.sizes, (head, rows), room)
    }

    /// The dropout index of a query's score with the first key.
    pub(super) fn first_score_index(&self, head: usize, query: usize) -> u32 {
        let rows = (self.queries.first + query) * self.sizes.heads + head;
        (rows as u32).wrapping_mul(self.sizes.longest as u32)
    }
}
