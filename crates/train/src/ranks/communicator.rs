use bert_tasks::{Communicator, ExchangeError, Peers, PendingSum};

/// A run of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SingleProcess;

impl Peers for SingleProcess {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn all_gather(&self, bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, ExchangeError> {
        Ok(vec![bytes])
    }
}

impl Communicator for SingleProcess {
    fn begin_sum(&self, values: Vec<f32>) -> Result<Box<dyn PendingSum + '_>, ExchangeError> {
        Ok(Box::new(Finished(values)))
    }

    fn sum(&self, values: &[f64]) -> Result<Vec<f64>, ExchangeError> {
        Ok(values.to_vec())
    }

    fn as_peers(&self) -> &dyn Peers {
        self
    }
}

/// A sum that is known.
pub(super) struct Finished(pub(super) Vec<f32>);

impl PendingSum for Finished {
    fn advance(&mut self) -> bool {
        true
    }

    fn wait(self: Box<Self>) -> Result<Vec<f32>, ExchangeError> {
        Ok(self.0)
    }
}
