//! What ranks must be at one about.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use bert_tasks::{Peers, Task, share_out};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use crate::checkpoint::Saver;
use crate::train::Run;
use crate::{ExchangeReport, Stepper, TrainError};

/// What the ranks have decided after a step. A signal does not reach all of them between the same steps, and clocks differ.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Agreed {
    /// Some rank was asked to stop.
    stop: bool,
    /// The rank that writes wants to save a checkpoint.
    save: bool,
}

/// The rows of a batch that a rank computes, in their order. The ranks have about the same number of tokens.
pub(crate) fn own_rows(rows: &[usize], lengths: &[usize], peers: &dyn Peers) -> Vec<usize> {
    let tokens: Vec<usize> = rows.iter().map(|&row| lengths[row]).collect();
    let owners = share_out(&tokens, peers.size());
    let own = rows.iter().zip(owners);
    own.filter(|(_, owner)| *owner == peers.rank())
        .map(|(&row, _)| row)
        .collect()
}

impl<T: Task> Run<'_, T> {
    /// Decides with the other ranks what comes after this step.
    pub(crate) fn agree(&mut self, model: &T::Model) -> Result<(), TrainError> {
        if !self.stepper.exchange.is_shared() {
            return Ok(());
        }
        let steps = self.stepper.steps();
        let stop = self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed));
        let save = self.saver.as_ref().is_some_and(|saver| saver.is_due(steps));
        let wanted = [stop, save].map(|wanted| f64::from(u8::from(wanted)));
        let [stop, save] = self.stepper.exchange.sum(wanted)?.map(|sum| sum > 0.0);
        self.agreed = Agreed { stop, save };
        if stop || save {
            self.compare_weights(model)?;
        }
        Ok(())
    }

    /// Whether this run, all ranks of it, was asked to stop.
    pub(crate) fn is_stop_asked(&self) -> bool {
        match self.stepper.exchange.is_shared() {
            true => self.agreed.stop,
            false => self.saver.as_ref().is_some_and(Saver::is_stop_asked),
        }
    }

    /// Whether a checkpoint is due after this step.
    pub(crate) fn is_save_due(&self, saver: &Saver<'_>, steps: usize) -> bool {
        match self.stepper.exchange.is_shared() {
            true => self.agreed.save,
            false => saver.is_due(steps),
        }
    }

    /// The folder of the checkpoint that some rank has saved, once it has.
    pub(crate) fn checkpoint_of_all(
        &self,
        own: Option<PathBuf>,
    ) -> Result<Option<PathBuf>, TrainError> {
        let exchange = &self.stepper.exchange;
        if !exchange.is_shared() {
            return Ok(own);
        }
        let spelled = own.map(|path| path.to_string_lossy().into_owned());
        let all = exchange
            .ranks
            .all_gather(spelled.unwrap_or_default().into_bytes())?;
        let saved = all.into_iter().find(|path| !path.is_empty());
        Ok(saved.map(|path| PathBuf::from(String::from_utf8_lossy(&path).into_owned())))
    }

    pub(crate) fn compare_weights(&self, model: &T::Model) -> Result<(), TrainError> {
        self.stepper.compare_weights(model)
    }

    /// Tells the observer what was exchanged, if anything was.
    pub(crate) fn report_exchange(&mut self) -> Result<(), TrainError> {
        let exchange = &self.stepper.exchange;
        if !exchange.is_shared() {
            return Ok(());
        }
        self.observer.exchanged(&ExchangeReport {
            processes: exchange.ranks.size(),
            steps: exchange.steps,
            traffic: exchange.traffic,
        })
    }
}

impl Stepper<'_> {
    /// Makes sure that all ranks have the same weights, bit for bit.
    pub(crate) fn compare_weights<M: Module>(&self, model: &M) -> Result<(), TrainError> {
        if !self.exchange.is_shared() {
            return Ok(());
        }
        let own = sum_of_weights(model).to_le_bytes();
        let sums = self.exchange.ranks.all_gather(own.to_vec())?;
        let others = sums.iter().enumerate();
        let ranks: Vec<usize> = others
            .filter(|(_, sum)| **sum != sums[0])
            .map(|(rank, _)| rank)
            .collect();
        if ranks.is_empty() {
            return Ok(());
        }
        Err(TrainError::RanksDiffer {
            step: self.steps(),
            ranks,
        })
    }
}

/// A check sum of the parameters that are trained.
fn sum_of_weights<M: Module>(model: &M) -> u32 {
    struct Sum(crc32fast::Hasher);
    impl ModuleVisitor for Sum {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                self.0.update(param.val().into_data().bytes());
            }
        }
    }
    let mut sum = Sum(crc32fast::Hasher::new());
    model.visit(&mut sum);
    sum.0.finalize()
}
