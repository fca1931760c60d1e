//! Scaled dot-product attention, forward and backward, one block of queries and one head at a time, so that scores stay in the
//! cache. Queries, keys and values are read where they lie.
//!
//! Ragged sequences are consecutive, without gaps: T keys and Q queries in all. Of one sequence: S keys, and L keys up to the last
//! one that is not masked. N heads, D head width, H = N · D, W lanes of queries.

mod backward;
mod bias;
mod block;
mod forward;
mod layout;
mod positions;
mod relative;
mod scores;
mod sequence;
mod softmax;

pub(crate) use backward::backward;
pub(crate) use bias::Bias;
pub(crate) use forward::forward;
pub(crate) use layout::{Gradient, Inputs, Layout, Operands};
pub(crate) use positions::Positions;
pub(crate) use relative::Relative;

use sequence::Sequence;

use super::threads::is_little;
use block::Block;

/// Whether one thread alone is faster with the two products of each head.
fn are_little(sequences: &[Sequence<'_>]) -> bool {
    let scores = |one: &Sequence<'_>| one.blocks().map(|block| block.len()).sum::<usize>();
    let of_one = |one: &Sequence<'_>| 4 * scores(one) * one.sizes.width();
    is_little(sequences.iter().map(of_one).sum())
}

/// The number of queries of each block, in the order of the sequences.
fn block_lengths(sequences: &[Sequence<'_>]) -> Vec<usize> {
    let blocks = sequences.iter().flat_map(Sequence::blocks);
    blocks.map(|Block { queries, .. }| queries.len()).collect()
}
