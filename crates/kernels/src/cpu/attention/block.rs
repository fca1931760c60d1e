//! The queries that are computed together, and the keys that they see: all of a sequence, or a band of it under a window.

use std::ops::Range;

use super::sequence::Sequence;
use crate::cpu::view::View;

/// The number of queries of a block under a window. A block computes its scores with all keys that one of its queries sees.
const ROWS: usize = 64;

/// Queries and keys of a sequence, by their positions in it.
#[derive(Clone)]
pub(super) struct Block {
    pub(super) queries: Range<usize>,
    pub(super) keys: Range<usize>,
}

impl Block {
    /// The number of scores.
    pub(super) fn len(&self) -> usize {
        self.queries.len() * self.keys.len()
    }

    /// Its matrix of scores.
    pub(super) fn view(&self) -> View {
        View::rows(0, self.queries.len(), self.keys.len(), self.keys.len())
    }

    /// The part that its queries have in `values`, which are `width` of each query.
    pub(super) fn of_queries(&self, width: usize) -> Range<usize> {
        self.queries.start * width..self.queries.end * width
    }
}

impl<'a> Sequence<'a> {
    /// The blocks in the order of their queries.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let count = self.queries.count;
        let Some(window) = self.window else {
            return vec![Block {
                queries: 0..count,
                keys: 0..self.positions(),
            }];
        };
        let blocks = (0..count).step_by(ROWS);
        blocks
            .map(|first| self.block(first..count.min(first + ROWS), window))
            .collect()
    }

    fn block(&self, queries: Range<usize>, window: usize) -> Block {
        let near = |query| self.near(query, window);
        let keys = if queries.clone().any(|query| self.are_masked(near(query))) {
            0..self.mask.len()
        } else {
            near(queries.start).start..near(queries.end - 1).end
        };
        Block { queries, keys }
    }

    /// The keys in the window of a query.
    fn near(&self, query: usize, window: usize) -> Range<usize> {
        query.saturating_sub(window)..self.mask.len().min(query + window + 1)
    }

    fn are_masked(&self, keys: Range<usize>) -> bool {
        self.mask[keys].iter().all(|&mask| mask != 0.0)
    }

    /// The scores of the keys that a query of the block sees, and the mask of these keys. The other scores become 0. If all keys
    /// in the window are masked, the query sees all keys of the sequence, and each alike.
    #[inline(always)]
    pub(super) fn seen<'s>(
        &self,
        block: &Block,
        query: usize,
        scores: &'s mut [f32],
    ) -> (&'s mut [f32], &'a [f32]) {
        let mask = &self.mask[block.keys.clone()];
        let Some(window) = self.window else {
            return (scores, mask);
        };
        let near = self.near(query, window);
        if self.are_masked(near.clone()) {
            for (score, mask) in scores.iter_mut().zip(mask) {
                *score = -mask;
            }
            return (scores, mask);
        }
        let seen = near.start - block.keys.start..near.end - block.keys.start;
        scores[..seen.start].fill(0.0);
        scores[seen.end..].fill(0.0);
        (&mut scores[seen], &self.mask[near])
    }
}
