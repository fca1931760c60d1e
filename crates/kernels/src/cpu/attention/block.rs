//! The queries that are computed together, and the keys that they see: all of a sequence, or a band of it under a window.

use std::ops::Range;

use super::sequence::Sequence;
use crate::cpu::view::View;

/// The number of queries of a block. A block computes its scores with all keys that one of its queries sees.
pub(super) const QUERIES: usize = 32;
/// The number of queries of a block that takes half as many lanes.
pub(super) const FEW_QUERIES: usize = QUERIES / 2;

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

    /// Its matrix of scores `[L, W]`: a row for each key, a lane for each query. Lanes without a query are left out.
    pub(super) fn scores<const W: usize>(&self) -> View {
        View::rows(0, self.keys.len(), self.queries.len(), W)
    }
}

impl Sequence<'_> {
    /// The blocks in the order of their queries.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Block> {
        let count = self.queries.count;
        let keys = 0..self.positions();
        let blocks = (0..count).step_by(QUERIES);
        blocks.map(move |first| {
            let queries = first..count.min(first + QUERIES);
            let keys = match self.window {
                Some(window) => self.band(&queries, window),
                None => keys.clone(),
            };
            Block { queries, keys }
        })
    }

    /// The keys in the windows of these queries; all keys if a query's window has none that is not masked.
    fn band(&self, queries: &Range<usize>, window: usize) -> Range<usize> {
        let count = self.mask.len();
        let near = |query: usize| query.saturating_sub(window)..count.min(query + window + 1);
        let is_masked = |query| self.mask[near(query)].iter().all(|&mask| mask != 0.0);
        if queries.clone().any(is_masked) {
            0..count
        } else {
            near(queries.start).start..near(queries.end - 1).end
        }
    }
}
