use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bert_weights::{NamedTensor, write_tensors};

use super::directory::{
    BEST_FILE, CHECKPOINTS_DIR, OPTIMIZER_FILE, PARAMETERS_FILE, STATE_FILE, mark, name_of, remove,
    step_of, sweep, write_folder,
};
use super::state::{FileMark, State};
use super::{Checkpoint, Keep, RunDescription, SaveEvery, checkpoints_in};
use crate::TrainError;

/// How much longer than a save the time to the next one is at least, so that saving stays below 2 % of a run.
const COST_FACTOR: u32 = 50;

/// How a run saves checkpoints, and which one it goes on from.
#[derive(Debug, Default)]
pub struct Checkpointing<'a> {
    /// When.
    pub every: SaveEvery,
    /// Which stay.
    pub keep: Keep,
    /// What decides the run's results; it is stored in each checkpoint.
    pub run: RunDescription,
    /// Go on from here.
    pub resume: Option<Checkpoint>,
    /// Once this is true, the run finishes its step, saves a checkpoint and ends with [`TrainError::Stopped`].
    pub stop: Option<&'a AtomicBool>,
}

/// Where a run stopped because it was asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Optimiser steps done.
    pub step: usize,
    /// Optimiser steps of the whole run.
    pub total_steps: usize,
    /// What it can go on from.
    pub checkpoint: PathBuf,
}

/// Saves the checkpoints of one run.
pub(crate) struct Saver<'a> {
    output: PathBuf,
    every: SaveEvery,
    keep: Keep,
    pub(crate) run: RunDescription,
    stop: Option<&'a AtomicBool>,
    /// The parameters that are trained.
    paths: BTreeSet<String>,
    /// Where the best parameters were last written, after which step, and the file's mark.
    best: Option<(PathBuf, usize, FileMark)>,
    last_save: Instant,
    last_cost: Duration,
}

/// The tensors of a checkpoint.
pub(crate) struct Tensors<P, B> {
    pub(crate) parameters: P,
    pub(crate) moments: Vec<NamedTensor>,
    /// Gives the best parameters.
    pub(crate) best: B,
}

impl<'a> Saver<'a> {
    /// A new run removes the checkpoints that it finds; one that goes on removes those behind the one that it goes on from.
    pub(crate) fn begin(
        output: &Path,
        settings: Checkpointing<'a>,
        paths: BTreeSet<String>,
    ) -> Result<Self, TrainError> {
        let resumed_at = settings.resume.as_ref().map(Checkpoint::step);
        sweep(&output.join(CHECKPOINTS_DIR))?;
        for path in checkpoints_in(output)? {
            if step_of(&path) > resumed_at {
                remove(&path)?;
            }
        }
        Ok(Self {
            output: output.to_owned(),
            every: settings.every,
            keep: settings.keep,
            run: settings.run,
            stop: settings.stop,
            paths,
            best: settings.resume.as_ref().and_then(best_file),
            last_save: Instant::now(),
            last_cost: Duration::ZERO,
        })
    }

    pub(crate) fn paths(&self) -> &BTreeSet<String> {
        &self.paths
    }

    pub(crate) fn is_stop_asked(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Whether a checkpoint is due after this step.
    pub(crate) fn is_due(&self, step: usize) -> bool {
        match self.every {
            SaveEvery::Steps(steps) => step.is_multiple_of(steps),
            SaveEvery::Interval(interval) => {
                self.last_save.elapsed() >= interval.max(self.last_cost * COST_FACTOR)
            }
        }
    }

    /// Whether a checkpoint of the best evaluation is to be kept.
    pub(crate) fn keeps_best(&self) -> bool {
        self.keep.best
    }

    /// Whether the newest checkpoint stays when the run is over.
    pub(crate) fn keeps_last(&self) -> bool {
        self.keep.last > 0
    }

    /// The folder of the checkpoint after a step.
    fn folder(&self, step: usize) -> PathBuf {
        self.output.join(CHECKPOINTS_DIR).join(name_of(step))
    }

    /// Saves a checkpoint, unless there is one of this step already, and removes those that are not kept. Gives its folder,
    /// and whether it is new.
    pub(crate) fn save(
        &mut self,
        mut state: State,
        tensors: Tensors<Vec<NamedTensor>, impl FnOnce() -> Vec<NamedTensor>>,
    ) -> Result<(PathBuf, bool), TrainError> {
        let clock = Instant::now();
        let target = self.folder(state.step);
        let best_step = state.best.as_ref().map(|best| best.step);
        let is_new = !target.exists();
        if is_new {
            let mut best = None;
            write_folder(&target, |scratch| {
                let mut files = Files {
                    scratch,
                    target: &target,
                    marks: BTreeMap::new(),
                };
                files.tensors(PARAMETERS_FILE, tensors.parameters)?;
                files.tensors(OPTIMIZER_FILE, tensors.moments)?;
                if let Some(best_step) = best_step {
                    let earlier = self.best.as_ref().filter(|(_, step, _)| *step == best_step);
                    if best_step == state.step {
                        files.same(BEST_FILE, &scratch.join(PARAMETERS_FILE))?;
                    } else if !earlier
                        .is_some_and(|(path, _, mark)| files.link(BEST_FILE, path, mark))
                    {
                        files.tensors(BEST_FILE, (tensors.best)())?;
                    }
                    best = Some((
                        target.join(BEST_FILE),
                        best_step,
                        files.marks[BEST_FILE].clone(),
                    ));
                }
                state.files = std::mem::take(&mut files.marks);
                let text = serde_json::to_vec_pretty(&state).map_err(io::Error::from);
                let written = text.and_then(|text| fs::write(scratch.join(STATE_FILE), text));
                written
                    .and_then(|()| give_usual_permissions(scratch, state.files.keys()))
                    .map_err(files.failed(STATE_FILE))
            })?;
            self.best = best;
        }
        self.prune(self.keep.last.max(1), best_step)?;
        self.last_cost = clock.elapsed();
        self.last_save = Instant::now();
        Ok((target, is_new))
    }

    /// The run is over: what is not to be kept goes.
    pub(crate) fn finish(&self, best_step: Option<usize>) -> Result<(), TrainError> {
        self.prune(self.keep.last, best_step)?;
        // Only an empty folder goes.
        let _ = fs::remove_dir(self.output.join(CHECKPOINTS_DIR));
        Ok(())
    }

    fn prune(&self, last: usize, best_step: Option<usize>) -> Result<(), TrainError> {
        let best_step = best_step.filter(|_| self.keep.best);
        let mut all = checkpoints_in(&self.output)?;
        all.truncate(all.len().saturating_sub(last));
        let dispensable = all
            .iter()
            .filter(|path| best_step.is_none() || step_of(path) != best_step);
        dispensable.map(PathBuf::as_path).try_for_each(remove)
    }
}

fn best_file(checkpoint: &Checkpoint) -> Option<(PathBuf, usize, FileMark)> {
    let step = checkpoint.state.best.as_ref()?.step;
    let mark = checkpoint.state.files.get(BEST_FILE)?.clone();
    Some((checkpoint.file(BEST_FILE), step, mark))
}

/// The files of tensors are made readable by their owner alone; `state.json` has the directory's usual bits.
fn give_usual_permissions<'a>(
    folder: &Path,
    names: impl IntoIterator<Item = &'a String>,
) -> io::Result<()> {
    let usual = fs::metadata(folder.join(STATE_FILE))?.permissions();
    let mut names = names.into_iter();
    names.try_for_each(|name| fs::set_permissions(folder.join(name), usual.clone()))
}

/// The files of a checkpoint that is being written.
struct Files<'a> {
    scratch: &'a Path,
    /// What the folder will be called; messages name that.
    target: &'a Path,
    marks: BTreeMap<String, FileMark>,
}

impl Files<'_> {
    fn failed(&self, name: &str) -> impl FnOnce(io::Error) -> TrainError {
        let path = self.target.join(name);
        move |source| TrainError::Write { path, source }
    }

    fn tensors(&mut self, name: &str, tensors: Vec<NamedTensor>) -> Result<(), TrainError> {
        let path = self.scratch.join(name);
        let written = write_tensors(&path, tensors).and_then(|()| mark(&path));
        self.marks
            .insert(name.to_owned(), written.map_err(self.failed(name))?);
        Ok(())
    }

    /// A second name for another file of this checkpoint, or a copy where there are no such names.
    fn same(&mut self, name: &str, other: &Path) -> Result<(), TrainError> {
        let path = self.scratch.join(name);
        let linked = fs::hard_link(other, &path).or_else(|_| fs::copy(other, &path).map(drop));
        let mark = linked
            .and_then(|()| mark(&path))
            .map_err(self.failed(name))?;
        self.marks.insert(name.to_owned(), mark);
        Ok(())
    }

    /// A second name for a file of an earlier checkpoint; false where that is not possible.
    fn link(&mut self, name: &str, other: &Path, mark: &FileMark) -> bool {
        let is_linked = fs::hard_link(other, self.scratch.join(name)).is_ok();
        if is_linked {
            self.marks.insert(name.to_owned(), mark.clone());
        }
        is_linked
    }
}
