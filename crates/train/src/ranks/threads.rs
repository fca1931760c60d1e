//! Ranks that are threads of one process: for tests of what several ranks do, without a launcher.

use std::sync::mpsc::{Receiver, Sender, channel};

use bert_tasks::{Communicator, ExchangeError, Peers, PendingSum};

use super::communicator::Finished;

/// One rank of [`thread_ranks`].
#[derive(Debug)]
pub struct ThreadRank {
    rank: usize,
    /// To each rank, this one included.
    to: Vec<Sender<Vec<u8>>>,
    /// From each rank.
    from: Vec<Receiver<Vec<u8>>>,
}

/// Ranks that talk through channels. Each belongs on a thread of its own.
pub fn thread_ranks(size: usize) -> Vec<ThreadRank> {
    let mut ranks: Vec<ThreadRank> = (0..size)
        .map(|rank| ThreadRank {
            rank,
            to: Vec::new(),
            from: Vec::new(),
        })
        .collect();
    for sender in 0..size {
        for receiver in 0..size {
            let (to, from) = channel();
            ranks[sender].to.push(to);
            ranks[receiver].from.push(from);
        }
    }
    ranks
}

impl Peers for ThreadRank {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn all_gather(&self, bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, ExchangeError> {
        let gone = |rank: usize| ExchangeError(format!("rank {rank} is gone"));
        for (rank, to) in self.to.iter().enumerate() {
            to.send(bytes.clone()).map_err(|_| gone(rank))?;
        }
        let from = self.from.iter().enumerate();
        from.map(|(rank, from)| from.recv().map_err(|_| gone(rank)))
            .collect()
    }
}

impl Communicator for ThreadRank {
    fn begin_sum(&self, mut values: Vec<f32>) -> Result<Box<dyn PendingSum + '_>, ExchangeError> {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        values.fill(0.0);
        for other in self.all_gather(bytes)? {
            for (value, bytes) in values.iter_mut().zip(other.as_chunks().0) {
                *value += f32::from_le_bytes(*bytes);
            }
        }
        Ok(Box::new(Finished(values)))
    }

    fn sum(&self, values: &[f64]) -> Result<Vec<f64>, ExchangeError> {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let mut sums = vec![0.0; values.len()];
        for other in self.all_gather(bytes)? {
            for (sum, bytes) in sums.iter_mut().zip(other.as_chunks().0) {
                *sum += f64::from_le_bytes(*bytes);
            }
        }
        Ok(sums)
    }

    fn as_peers(&self) -> &dyn Peers {
        self
    }
}
