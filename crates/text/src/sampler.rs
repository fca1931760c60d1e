//! Which rows go together, and in which order.

use std::cmp::Reverse;
use std::num::NonZeroUsize;

use rand::SeedableRng;
use rand::rngs::ChaCha12Rng;
use rand::seq::SliceRandom;

/// How the rows of an epoch become batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchOrder {
    /// Longest first, without chance: the least padding, and a batch that does not fit in memory fails at once. For
    /// evaluation, where the indices put the results back in the order of the rows.
    SortedByLength,
    /// Rows at random, like a plain data loader.
    Shuffled,
    /// Rows of similar length together, batches in random order: rows at random are cut into pools of up to 50 batches
    /// (fewer for small data sets, as transformers' `group_by_length` does), each pool is sorted by length and cut into
    /// batches, and all batches are shuffled.
    LengthBucketed,
}

/// transformers' default; more would make batches purer and the order less random.
const MAX_BATCHES_A_POOL: usize = 50;
/// So that a small data set still has several pools; transformers' default as well.
const MIN_POOLS: usize = 4;

/// The batches of one epoch as indices into `lengths`: every index exactly once, every batch full but one.
///
/// A pure function: what it gives depends on its arguments alone, so a run that is resumed in the middle of an epoch
/// goes on with the same batches. Every pair of `seed` and `epoch` has a random stream of its own.
pub fn epoch_batches(
    lengths: &[usize],
    batch_size: NonZeroUsize,
    seed: u64,
    epoch: u64,
    order: BatchOrder,
) -> Vec<Vec<usize>> {
    let batch_size = batch_size.get();
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    random.set_stream(epoch);
    let mut indices: Vec<usize> = (0..lengths.len()).collect();
    match order {
        BatchOrder::SortedByLength => {
            sort_longest_first(&mut indices, lengths);
            cut(&indices, batch_size)
        }
        BatchOrder::Shuffled => {
            indices.shuffle(&mut random);
            cut(&indices, batch_size)
        }
        BatchOrder::LengthBucketed => {
            indices.shuffle(&mut random);
            let batches_a_pool = lengths.len() / batch_size / MIN_POOLS;
            let batches_a_pool = batches_a_pool.clamp(1, MAX_BATCHES_A_POOL);
            for pool in indices.chunks_mut(batch_size.saturating_mul(batches_a_pool)) {
                sort_longest_first(pool, lengths);
            }
            let mut batches = cut(&indices, batch_size);
            batches.shuffle(&mut random);
            batches
        }
    }
}

/// Stable: rows of one length keep the order they came in.
fn sort_longest_first(indices: &mut [usize], lengths: &[usize]) {
    indices.sort_by_key(|&index| Reverse(lengths[index]));
}

fn cut(indices: &[usize], batch_size: usize) -> Vec<Vec<usize>> {
    indices.chunks(batch_size).map(<[usize]>::to_vec).collect()
}
