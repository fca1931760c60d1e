//! One run of `bert train`, from the checkpoint to the figures on test data.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use bert_report::EvaluationFile;
use bert_tasks::adapters::{BaseModel, LoraOptions};
use bert_tasks::pretraining::EVALUATION_SEED;
use bert_tasks::{Communicator, Evaluation, RunOptions, Task};
use bert_train::{
    Checkpoint, Checkpointing, EvaluationLog, FeatureStore, Observer, Observers, RunDescription,
    Stopped, TensorBoardLog, TrainError, TrainOptions, Trained, Training, TrainingLog,
};
use burn::tensor::Device;

use super::repeats::RunReport;
use super::run_record::RunRecord;
use super::train::{FineTune, FineTuneFlags, Role, Splits};
use super::{TaskModel, print_files, print_unknown_tensors, resume, same_on_all_ranks};
use crate::describe;
use crate::failure::Interrupted;
use crate::format;
use crate::model_source::ModelSource;
use crate::processes::Processes;
use crate::progress::{ShareBar, TrainingProgress};
use crate::stop_signals::StopSignals;

/// What the runs of one command have in common.
pub(crate) struct Session<'a, C> {
    pub(crate) command: &'a C,
    /// The flags as the command line has them, with the names of data sets.
    pub(super) words: &'a FineTuneFlags,
    pub(crate) flags: &'a FineTuneFlags,
    pub(crate) options: &'a TrainOptions,
    pub(super) source: &'a ModelSource,
    pub(super) checkpoint: &'a Path,
    /// The adapter to train, if one is asked for, and the name of its base.
    pub(super) adapter: Option<(LoraOptions, BaseModel)>,
    pub(super) device: &'a Device,
    pub(super) processes: &'a Processes,
    /// What the frozen part of the model computes, if several runs read it.
    pub(super) features: Option<Arc<FeatureStore>>,
}

/// A run that is alone in its command: it saves checkpoints and stops when a signal asks it to.
pub(crate) struct Alone {
    /// Where it goes on from.
    pub(super) resume: Option<Checkpoint>,
}

impl<C: FineTune> Session<'_, C> {
    /// One run, from the checkpoint to the figures on test data.
    pub(crate) fn train(
        &self,
        seed: u64,
        data: Splits<C::Data>,
        output: &Path,
        alone: Option<Alone>,
    ) -> Result<RunReport> {
        let device = self.device;
        let mut flags = self.flags.clone();
        flags.training.seed = seed;
        let options = TrainOptions {
            seed,
            ..self.options.clone()
        };
        device.seed(seed);
        let resume = alone.as_ref().and_then(|alone| alone.resume.as_ref());
        let mut ready = self.prepare(&flags, data, resume)?;
        let is_first = self.processes.is_first();
        let mut record = is_first.then(|| {
            RunRecord::new(
                C::USED_FOR,
                self.words,
                (self.source, self.checkpoint),
                (&mut ready.task, &ready.splits),
                output,
            )
        });
        let (task, splits) = (&ready.task, &ready.splits);
        let listen = || StopSignals::listen().context("cannot listen to signals");
        let signals = alone.is_some().then(listen).transpose()?;
        let checkpoints = alone
            .zip(signals.as_ref())
            .map(|(alone, signals)| Checkpointing {
                every: flags.checkpoints.every(),
                keep: flags.checkpoints.keep(),
                run: ready.run,
                resume: alone.resume,
                stop: Some(signals.asked()),
            });
        let training = Training {
            task,
            data: splits.training(),
            options: &options,
            device,
            output: is_first.then_some(output),
            checkpoints,
            ranks: self.processes.ranks(),
            features: self.features.clone(),
        };
        let trained = run_loop(training, ready.network, signals.as_ref(), record.as_mut())?;
        drop(signals);
        let test = splits.test.as_ref();
        let test = test.map(|test| {
            let device = device.clone().inner();
            score(task, &trained.model, test, &device, self.processes.ranks())
        });
        let test = test.transpose()?;
        if let (None, Some(test), true) = (&trained.best, &test, is_first) {
            test_file(test).write(output)?;
        }
        let test = test.map(|test| test.metrics);
        if let Some(record) = record {
            record.finish(test.as_ref())?;
        }
        Ok(RunReport::new(&trained, test, output))
    }

    /// Opens the checkpoint, tokenizes the data and loads the weights, and describes them on standard error.
    fn prepare(
        &self,
        flags: &FineTuneFlags,
        data: Splits<C::Data>,
        resume: Option<&Checkpoint>,
    ) -> Result<Prepared<C::Model>> {
        let (mut task, head) = self.command.open(flags, &data, self.checkpoint)?;
        let run = resume::describe(flags, task.pretrained())?;
        if let Some(checkpoint) = resume {
            resume::compare(checkpoint, &run, flags.checkpoints.takes_differences())?;
        }
        if let Some((lora, base)) = self.adapter.clone() {
            task.pretrained().train_adapter(lora, base)?;
        }
        same_on_all_ranks::compare(self.processes.ranks().as_peers(), flags, &run, resume)?;
        say!("model   {}: {}", flags.model, task.describe());
        print_files(task.pretrained());
        if let Some(head) = task.describe_head(head) {
            say!("head    {head}");
        }
        let splits = data.try_map(|data, role| {
            // Training data depend on the run's seed, evaluation data do not.
            let seed = match role {
                Role::Training => flags.training.seed,
                Role::Scoring => EVALUATION_SEED,
            };
            self.command.encode(&task, data, role, seed)
        })?;
        self.command
            .set_loss(&flags.training.loss, &mut task, &splits.train)?;
        let (network, report) = task.load(head, self.device)?;
        say!("load    {}", describe::load(&report));
        print_unknown_tensors(&report);
        Ok(Prepared {
            task,
            run,
            network,
            splits,
        })
    }
}

/// What the training loop starts from.
struct Prepared<T: Task> {
    task: T,
    run: RunDescription,
    network: T::Model,
    splits: Splits<T::Split>,
}

/// Runs the loop until it is over, or until a signal asks it to stop.
fn run_loop<T: Task>(
    training: Training<'_, T>,
    model: T::Model,
    signals: Option<&StopSignals>,
    record: Option<&mut RunRecord>,
) -> Result<Trained<T::Model>> {
    let (output, ranks) = (training.output, training.ranks);
    let mut progress = TrainingProgress::new();
    let mut logs = output.map(|output| {
        let (log, tensorboard) = (TrainingLog::new(output), TensorBoardLog::new(output));
        (log, tensorboard, EvaluationLog::new(output))
    });
    let mut observers = Observers(Vec::new());
    if let Some((log, tensorboard, evaluations)) = &mut logs {
        let of_files: [&mut dyn Observer; 3] = [log, tensorboard, evaluations];
        observers.0.extend(of_files);
    }
    if let Some(record) = record {
        observers.0.push(record);
    }
    observers.0.push(&mut progress);
    let clock = Instant::now();
    let trained = training.run(model, &mut observers);
    drop(progress);
    match trained {
        Err(TrainError::Stopped(stopped)) => Err(anyhow!(Interrupted {
            message: how_to_go_on(&stopped),
            exit_code: exit_code_of_all(ranks, signals.map_or(1, StopSignals::exit_code))?,
        })),
        trained => {
            let trained = trained?;
            let time = format::clock(clock.elapsed());
            let output = output.unwrap_or(Path::new("."));
            say!("done    {} after {time}", output.display());
            Ok(trained)
        }
    }
}

/// The exit code of the rank that a signal has reached.
fn exit_code_of_all(ranks: &dyn Communicator, own: u8) -> Result<u8> {
    let all = ranks.all_gather(vec![own])?;
    Ok(all.concat().into_iter().max().unwrap_or(own))
}

fn how_to_go_on(stopped: &Stopped) -> String {
    format!(
        "after step {} of {}; {} has what is needed to go on: give the same command with --resume",
        format::count(stopped.step),
        format::count(stopped.total_steps),
        stopped.checkpoint.display()
    )
}

fn score<T: Task>(
    task: &T,
    model: &T::Model,
    split: &T::Split,
    device: &Device,
    ranks: &dyn Communicator,
) -> Result<Evaluation> {
    let bar = ShareBar::new("evaluating");
    let mut progress = |share| bar.set(share);
    let mut run = RunOptions::new(device, &mut progress);
    run.peers = Some(ranks.as_peers());
    Ok(task.score(model, split, run)?)
}

/// `evaluation.json` of a run without evaluation data.
fn test_file(test: &Evaluation) -> EvaluationFile {
    EvaluationFile {
        data: "test".to_owned(),
        metrics: test.metrics.clone(),
        selected_by: test.selected_by.clone().into_owned(),
        examination: test.examination.clone(),
        ..EvaluationFile::default()
    }
}
