use bert_tasks::Task;
use bert_text::balanced_draw;

use crate::{Sampler, TrainError};

/// Which rows an epoch sees, in no order yet.
#[derive(Debug)]
pub(crate) enum EpochRows {
    /// Every row.
    All,
    /// Rows drawn by the classes of all of them.
    Balanced(Vec<usize>),
}

impl EpochRows {
    pub(crate) fn new<T: Task>(
        sampler: Sampler,
        task: &T,
        train: &T::Split,
    ) -> Result<Self, TrainError> {
        match sampler {
            Sampler::All => Ok(Self::All),
            Sampler::Balanced => task
                .classes(train)
                .map(Self::Balanced)
                .ok_or(TrainError::NoClasses),
        }
    }

    /// The batches of an epoch, which `order` makes of the lengths of its rows.
    pub(crate) fn batches(
        &self,
        lengths: &[usize],
        seed: u64,
        epoch: u64,
        order: impl FnOnce(&[usize]) -> Vec<Vec<usize>>,
    ) -> Vec<Vec<usize>> {
        let Self::Balanced(classes) = self else {
            return order(lengths);
        };
        let drawn = balanced_draw(classes, seed, epoch);
        let drawn_lengths: Vec<usize> = drawn.iter().map(|&row| lengths[row]).collect();
        let rows = |batch: Vec<usize>| batch.into_iter().map(|place| drawn[place]).collect();
        order(&drawn_lengths).into_iter().map(rows).collect()
    }
}
