use std::path::Path;

use bert_tasks::Evaluation;
use serde_json::{Map, Value};

use crate::{Schedule, Traffic, TrainError, TrainOptions};

/// A run before its first step.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// The options.
    pub options: &'a TrainOptions,
    /// The learning rate, and the number of steps.
    pub schedule: Schedule,
    /// Optimiser steps that are done already, in a run that goes on.
    pub steps_done: usize,
    /// Optimiser steps of one epoch.
    pub steps_per_epoch: usize,
    /// Training examples.
    pub examples: usize,
    /// Parameters that are trained.
    pub trainable_parameters: usize,
    /// All parameters.
    pub parameters: usize,
    /// Whether what the frozen part computes is kept for later epochs.
    pub keeps_features: bool,
}

/// One optimiser step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Counted from 1.
    pub step: usize,
    /// Epochs done, with the fraction of the current one.
    pub epoch: f64,
    /// Mean loss over the labels of the step.
    pub loss: f64,
    /// The step's learning rate.
    pub learning_rate: f64,
    /// Global norm of the gradients before clipping.
    pub grad_norm: f64,
    /// Tokens of the step that are not padding.
    pub tokens: usize,
    /// Wall time of the step.
    pub seconds: f64,
}

/// One evaluation.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationReport<'a> {
    /// Optimiser steps done.
    pub step: usize,
    /// Epochs done, with the fraction of the current one.
    pub epoch: f64,
    /// The figures.
    pub evaluation: &'a Evaluation,
    /// Whether no earlier evaluation scored as high.
    pub is_best: bool,
    /// Wall time of the evaluation.
    pub seconds: f64,
}

/// What the processes of a run have exchanged in its optimiser steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeReport {
    /// Processes of the run.
    pub processes: usize,
    /// Optimiser steps that they have done together.
    pub steps: usize,
    /// What each has handed over in all of them.
    pub traffic: Traffic,
}

impl ExchangeReport {
    /// Bytes that each process hands over in a step.
    pub fn bytes_per_step(&self) -> f64 {
        self.traffic.bytes as f64 / self.steps.max(1) as f64
    }

    /// Bytes of these that are under way before the backward pass is over.
    pub fn overlapped_bytes_per_step(&self) -> f64 {
        self.traffic.overlapped_bytes as f64 / self.steps.max(1) as f64
    }

    /// Messages of each process in a step.
    pub fn messages_per_step(&self) -> f64 {
        self.traffic.messages as f64 / self.steps.max(1) as f64
    }
}

/// Receives the events of a run. An error ends the run.
#[expect(unused_variables, reason = "the default bodies ignore their arguments")]
pub trait Observer {
    /// The run begins.
    ///
    /// # Errors
    ///
    /// The observer could not do its work, such as writing a file.
    fn started(&mut self, plan: &Plan<'_>) -> Result<(), TrainError> {
        Ok(())
    }

    /// The run goes on after a stop. `states` holds what [`save_state`](Self::save_state) put there.
    ///
    /// # Errors
    ///
    /// The observer could not do its work, such as writing a file.
    fn resumed(&mut self, plan: &Plan<'_>, states: &Map<String, Value>) -> Result<(), TrainError> {
        self.started(plan)
    }

    /// A checkpoint is about to be saved. The observer adds what it needs to go on, under a name of its own.
    ///
    /// # Errors
    ///
    /// The observer could not do its work, such as writing a file.
    fn save_state(&mut self, states: &mut Map<String, Value>) -> Result<(), TrainError> {
        Ok(())
    }

    /// A checkpoint has been saved in so many seconds.
    fn checkpointed(&mut self, dir: &Path, seconds: f64) {}

    /// An optimiser step is done.
    ///
    /// # Errors
    ///
    /// The observer could not do its work, such as writing a file.
    fn stepped(&mut self, report: &StepReport) -> Result<(), TrainError> {
        Ok(())
    }

    /// A share of an evaluation is done, in [0, 1].
    fn evaluating(&mut self, share: f64) {}

    /// An evaluation is done.
    ///
    /// # Errors
    ///
    /// The observer could not do its work, such as writing a file.
    fn evaluated(&mut self, report: &EvaluationReport<'_>) -> Result<(), TrainError> {
        Ok(())
    }

    /// The steps of a run of several processes are over.
    ///
    /// # Errors
    ///
    /// The observer could not do its work, such as writing a file.
    fn exchanged(&mut self, report: &ExchangeReport) -> Result<(), TrainError> {
        Ok(())
    }

    /// The run ends before its last step: so many evaluations in a row were no better than the best.
    ///
    /// # Errors
    ///
    /// The observer could not do its work, such as writing a file.
    fn stopped_early(
        &mut self,
        step: usize,
        evaluations_since_best: usize,
    ) -> Result<(), TrainError> {
        Ok(())
    }

    /// A model has been saved.
    fn saved(&mut self, dir: &Path) {}

    /// The run is over.
    fn finished(&mut self) {}
}

/// Several observers as one; each event goes to all of them in turn.
#[derive(Default)]
pub struct Observers<'a>(pub Vec<&'a mut dyn Observer>);

impl Observer for Observers<'_> {
    fn started(&mut self, plan: &Plan<'_>) -> Result<(), TrainError> {
        self.0.iter_mut().try_for_each(|one| one.started(plan))
    }

    fn resumed(&mut self, plan: &Plan<'_>, states: &Map<String, Value>) -> Result<(), TrainError> {
        let mut each = self.0.iter_mut();
        each.try_for_each(|one| one.resumed(plan, states))
    }

    fn save_state(&mut self, states: &mut Map<String, Value>) -> Result<(), TrainError> {
        self.0.iter_mut().try_for_each(|one| one.save_state(states))
    }

    fn checkpointed(&mut self, dir: &Path, seconds: f64) {
        let each = self.0.iter_mut();
        each.for_each(|one| one.checkpointed(dir, seconds));
    }

    fn stepped(&mut self, report: &StepReport) -> Result<(), TrainError> {
        self.0.iter_mut().try_for_each(|one| one.stepped(report))
    }

    fn evaluating(&mut self, share: f64) {
        self.0.iter_mut().for_each(|one| one.evaluating(share));
    }

    fn evaluated(&mut self, report: &EvaluationReport<'_>) -> Result<(), TrainError> {
        self.0.iter_mut().try_for_each(|one| one.evaluated(report))
    }

    fn stopped_early(
        &mut self,
        step: usize,
        evaluations_since_best: usize,
    ) -> Result<(), TrainError> {
        let mut observers = self.0.iter_mut();
        observers.try_for_each(|one| one.stopped_early(step, evaluations_since_best))
    }

    fn exchanged(&mut self, report: &ExchangeReport) -> Result<(), TrainError> {
        self.0.iter_mut().try_for_each(|one| one.exchanged(report))
    }

    fn saved(&mut self, dir: &Path) {
        self.0.iter_mut().for_each(|one| one.saved(dir));
    }

    fn finished(&mut self) {
        self.0.iter_mut().for_each(|one| one.finished());
    }
}
