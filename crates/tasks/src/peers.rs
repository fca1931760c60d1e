//! Processes of one run: what an evaluation needs of them, and what a training needs beside.

use std::cmp::Reverse;
use std::fmt;

use thiserror::Error;

/// The processes of one run, as each of them sees it.
pub trait Peers {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;

    /// How many processes there are.
    fn size(&self) -> usize;

    /// Gives every process what each has handed over, in the order of the ranks. All of them must call it.
    ///
    /// # Errors
    ///
    /// Another process is gone.
    fn all_gather(&self, bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, ExchangeError>;
}

/// How the processes of a run talk to each other. Every call but [`rank`](Peers::rank) and [`size`](Peers::size) is made by
/// all of them, in the same order.
pub trait Communicator: Peers + fmt::Debug {
    /// Begins to add up a buffer over all ranks, element by element. Buffers have the same length on every rank. Several
    /// sums may be under way.
    ///
    /// # Errors
    ///
    /// Another process is gone.
    fn begin_sum(&self, values: Vec<f32>) -> Result<Box<dyn PendingSum + '_>, ExchangeError>;

    /// Adds up a few numbers over all ranks in double precision, element by element.
    ///
    /// # Errors
    ///
    /// Another process is gone.
    fn sum(&self, values: &[f64]) -> Result<Vec<f64>, ExchangeError>;

    /// Returns once every rank has come here.
    ///
    /// # Errors
    ///
    /// Another process is gone.
    fn barrier(&self) -> Result<(), ExchangeError> {
        self.all_gather(Vec::new()).map(drop)
    }

    /// This as what an evaluation needs.
    fn as_peers(&self) -> &dyn Peers;
}

/// A sum that is under way.
pub trait PendingSum {
    /// Lets it go on, without waiting for other ranks. Says whether the sum is known.
    fn advance(&mut self) -> bool;

    /// Waits for the sum, which has the same bits on every rank.
    ///
    /// # Errors
    ///
    /// Another process is gone.
    fn wait(self: Box<Self>) -> Result<Vec<f32>, ExchangeError>;
}

/// Processes could not exchange what they have computed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the exchange between the processes of the run failed: {0}")]
pub struct ExchangeError(pub String);

/// Shares work out: the rank that does each piece. The pieces go one by one, the most costly first, to the rank that has
/// the least to do.
pub fn share_out(costs: &[usize], ranks: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by_key(|&piece| Reverse(costs[piece]));
    let mut loads = vec![0; ranks.max(1)];
    let mut owners = vec![0; costs.len()];
    for piece in order {
        let free = (0..loads.len()).min_by_key(|&rank| loads[rank]);
        let rank = free.unwrap_or_default();
        loads[rank] += costs[piece];
        owners[piece] = rank;
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_gets_about_the_same_and_the_order_is_fixed() {
        assert_eq!(share_out(&[5, 9, 4, 1, 1], 2), [1, 0, 1, 0, 1]);
        assert_eq!(share_out(&[3, 3, 3], 4), [0, 1, 2]);
        assert_eq!(share_out(&[7, 2], 1), [0, 0]);
        assert!(share_out(&[], 3).is_empty());
    }
}
