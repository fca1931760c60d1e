//! A run's checkpoints: when it saves one, and how it goes on from one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use bert_tasks::Task;
use burn::module::Module;
use serde_json::Map;

use crate::checkpoint::{
    BEST_FILE, BestState, FORMAT, OPTIMIZER_FILE, PARAMETERS_FILE, Saver, State, Tensors,
    parameters, restored,
};
use crate::train::{Run, save};
use crate::{Checkpoint, ResumeError, Selection, Stopped, TrainError};

impl<T: Task> Run<'_, T> {
    /// Takes everything back that the checkpoint holds. The best model is saved once more, so that the output directory is
    /// what it was then.
    pub(crate) fn resume(
        &mut self,
        model: T::Model,
        checkpoint: &Checkpoint,
    ) -> Result<T::Model, TrainError> {
        let state = &checkpoint.state;
        let model = restored(model, &checkpoint.file(PARAMETERS_FILE))?;
        let moments = checkpoint.file(OPTIMIZER_FILE);
        self.stepper
            .optimizer
            .restore(&model, state.step, &moments)?;
        self.stepper.skip_to(state.step);
        self.place = state.place;
        self.tokens = state.tokens;
        self.training_seconds = state.training_seconds;
        if let Some(best) = &state.best {
            let evaluation = best.evaluation().ok_or_else(|| ResumeError::Damaged {
                path: checkpoint.path().to_owned(),
                reason: "the score of the best model is no number".to_owned(),
            })?;
            let best_model = restored(model.valid(), &checkpoint.file(BEST_FILE))?;
            save(self.task, &best_model, self.output, self.observer)?;
            self.best = Some((evaluation, best_model));
            self.best_step = Some(best.step);
        }
        self.selection = Selection {
            best_score: self.best.as_ref().map(|(evaluation, _)| evaluation.score),
            evaluations_since_best: state.evaluations_since_best,
            evaluated_at: state.evaluated_at,
        };
        Ok(model)
    }

    /// Saves a checkpoint and ends the run, if it was asked to stop.
    pub(crate) fn stop_if_asked(&mut self, model: &T::Model) -> Result<(), TrainError> {
        if !self.is_stop_asked() {
            return Ok(());
        }
        let checkpoint = self.checkpoint(model)?;
        match self.checkpoint_of_all(checkpoint)? {
            None => Ok(()),
            Some(checkpoint) => Err(TrainError::Stopped(Stopped {
                step: self.stepper.steps(),
                total_steps: self.schedule.total_steps,
                checkpoint,
            })),
        }
    }

    /// Between two steps: a checkpoint when its time has come, or the run was asked to stop meanwhile.
    pub(crate) fn checkpoint_if_due(&mut self, model: &T::Model) -> Result<(), TrainError> {
        self.stop_if_asked(model)?;
        self.keep_best(model)?;
        let steps = self.stepper.steps();
        let is_done = self.is_done();
        let is_due = |saver: &Saver<'_>| match is_done {
            true => saver.keeps_last(),
            false => self.is_save_due(saver, steps),
        };
        if self.saver.as_ref().is_some_and(is_due) {
            self.checkpoint(model)?;
        }
        Ok(())
    }

    /// A checkpoint of the best evaluation, if it came after this step and is to be kept.
    pub(crate) fn keep_best(&mut self, model: &T::Model) -> Result<(), TrainError> {
        let is_best = self.best_step == Some(self.stepper.steps());
        if is_best && self.saver.as_ref().is_some_and(Saver::keeps_best) {
            self.checkpoint(model)?;
        }
        Ok(())
    }

    /// Saves a checkpoint, where checkpoints are saved at all. Gives its folder.
    fn checkpoint(&mut self, model: &T::Model) -> Result<Option<PathBuf>, TrainError> {
        if self.saver.is_none() {
            return Ok(None);
        }
        self.report_steps()?;
        let Some(saver) = &mut self.saver else {
            return Ok(None);
        };
        let clock = Instant::now();
        let mut observers = Map::new();
        self.observer.save_state(&mut observers)?;
        let best = self.best.as_ref();
        let state = State {
            format: FORMAT,
            step: self.stepper.steps(),
            place: self.place,
            tokens: self.tokens,
            training_seconds: self.training_seconds,
            best: best
                .zip(self.best_step)
                .map(|((evaluation, _), step)| BestState::new(step, evaluation)),
            evaluations_since_best: self.selection.evaluations_since_best,
            evaluated_at: self.selection.evaluated_at,
            observers,
            run: saver.run.clone(),
            files: BTreeMap::new(),
        };
        let paths = saver.paths().clone();
        let tensors = Tensors {
            parameters: parameters(model, &paths),
            moments: self.stepper.optimizer.named_moments(model),
            best: || best.map_or_else(Vec::new, |(_, model)| parameters(model, &paths)),
        };
        let (folder, is_new) = saver.save(state, tensors)?;
        if is_new {
            let seconds = clock.elapsed().as_secs_f64();
            self.observer.checkpointed(&folder, seconds);
        }
        Ok(Some(folder))
    }
}
