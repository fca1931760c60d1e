//! Reports of steps, once their losses are read.

use bert_tasks::Task;

use crate::train::Run;
use crate::{StepReport, TrainError};

/// A step that the observer does not know of yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unreported {
    pub(crate) step: usize,
    pub(crate) epoch: f64,
    pub(crate) learning_rate: f64,
    pub(crate) seconds: f64,
}

impl<T: Task> Run<'_, T> {
    /// Reads the losses of the last steps, and reports these. They share the time that all of them took: a device works on one
    /// step while the host prepares the next.
    pub(crate) fn report_steps(&mut self) -> Result<(), TrainError> {
        if self.unreported.is_empty() {
            return Ok(());
        }
        let clock = std::time::Instant::now();
        let outcomes = self.stepper.read()?;
        let steps = std::mem::take(&mut self.unreported);
        let before: f64 = steps.iter().map(|step| step.seconds).sum();
        let seconds = (before + clock.elapsed().as_secs_f64()) / steps.len() as f64;
        for (step, outcome) in steps.into_iter().zip(outcomes) {
            self.tokens += outcome.tokens;
            self.training_seconds += seconds;
            self.observer.stepped(&StepReport {
                step: step.step,
                epoch: step.epoch,
                loss: outcome.loss,
                learning_rate: step.learning_rate,
                grad_norm: outcome.grad_norm,
                tokens: outcome.tokens,
                seconds,
            })?;
        }
        Ok(())
    }
}
