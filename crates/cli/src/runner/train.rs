//! What `bert train` does for every task: one order of checks, one loop, one report.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use bert_doctor::Setting;
use bert_encoder::Precision;
use bert_hub::DataSplit;
use bert_report::UsedFor;
use bert_tasks::{HeadOrigin, Task, TaskError};
use bert_train::{Checkpoint, FeatureStore, TrainOptions, TrainingData, Tune, prepare_output};
use clap::Args;
use serde_json::json;

use super::repeats::{self, Folds};
use super::session::{Alone, Session};
use super::{TaskModel, resume};
use crate::data_source;
use crate::failure::WrongUsage;
use crate::flags::{
    CheckpointFlags, Classes, GivenFlags, LossFlags, RepeatFlags, Repeats, RuntimeFlags,
    TrainingFlags, data_files,
};
use crate::model_source::ModelSource;
use crate::output_directory::OutputDirectory;
use crate::processes::Processes;
use crate::results::Results;

#[derive(Debug, Clone, Args)]
pub(crate) struct FineTuneFlags {
    #[command(flatten)]
    pub(super) given: GivenFlags,
    /// Model to start from: a checkpoint directory, a name that `bert models` lists, or a model of the hub (OWNER/NAME, or
    /// OWNER/NAME@REVISION)
    #[arg(long, value_name = "DIR|NAME")]
    pub(crate) model: String,
    /// Training data: a file, several that are read as one, or a pattern such as 'part-*.tsv'; - is standard input. Files may
    /// be compressed (.gz, .zst, .zip with one file in it). Or a data set that `bert models` lists (NAME, or NAME/FILE)
    #[arg(long, value_name = "FILE|NAME", required = true, num_args = 1..)]
    pub(crate) train: Vec<PathBuf>,
    /// Evaluation data, which decides which checkpoint is best; without it the last checkpoint is kept
    #[arg(long, value_name = "FILE|NAME", num_args = 1.., visible_alias = "validation")]
    pub(crate) eval: Vec<PathBuf>,
    /// Test data, on which the best checkpoint is scored in the end
    #[arg(long, value_name = "FILE|NAME", num_args = 1..)]
    pub(crate) test: Vec<PathBuf>,
    /// Directory for the trained model, its card, training.jsonl and the other files that `bert report` and TensorBoard read
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Replace the files of an output directory that is not empty; by default such a directory is an error, so that no
    /// earlier run is lost
    #[arg(long)]
    overwrite: bool,
    /// TOML file with options: its keys are the long names of these flags, and its paths are relative to the current
    /// directory. A flag on the command line wins
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Use no network: a named model has to be in the cache
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    pub(crate) training: TrainingFlags,
    #[command(flatten)]
    pub(crate) repeats: RepeatFlags,
    #[command(flatten)]
    pub(super) checkpoints: CheckpointFlags,
    #[command(flatten)]
    runtime: RuntimeFlags,
}

impl FineTuneFlags {
    /// Where the run computes.
    pub(crate) fn device(&self) -> String {
        self.runtime.device().to_string()
    }

    /// The same with the paths of the data sets that it names; what the cache lacks is downloaded.
    fn with_data_files(&self) -> Result<Self> {
        let find = |argument, words: &[PathBuf], split| {
            data_source::find_all(argument, words, split, self.offline)
        };
        Ok(Self {
            train: find("--train", &self.train, DataSplit::Train)?,
            eval: find("--eval", &self.eval, DataSplit::Dev)?,
            test: find("--test", &self.test, DataSplit::Test)?,
            ..self.clone()
        })
    }

    /// The files that a flag names, as they were given.
    pub(super) fn file_words(&self, flag: &str) -> Option<String> {
        let flag = flag.split(',').next().unwrap_or(flag);
        let words = self.given.iter().find(|(name, _)| *name == flag)?.1;
        let names_file = |word: &String| Path::new(word).exists();
        words.iter().any(names_file).then(|| words.join(" "))
    }

    /// Of several processes only one has the standard input.
    fn refuse_standard_input(&self) -> Result<()> {
        let all = [&self.train, &self.eval, &self.test];
        if all.into_iter().flatten().any(|path| path == Path::new("-")) {
            let reason = "standard input reaches one of several processes; give them a file";
            return Err(WrongUsage(reason.to_owned()).into());
        }
        Ok(())
    }

    /// Reads the two or three splits of a run, in the order train, eval, test.
    pub(crate) fn read<D>(&self, read: impl Fn(&[PathBuf]) -> Result<D>) -> Result<Splits<D>> {
        let optional = |words: &[PathBuf]| match words {
            [] => Ok(None),
            words => read(&data_files(words)?).map(Some),
        };
        Ok(Splits {
            train: read(&data_files(&self.train)?)?,
            eval: optional(&self.eval)?,
            test: optional(&self.test)?,
        })
    }
}

/// The data of a run, as it was read or as the model takes it.
#[derive(Clone)]
pub(crate) struct Splits<D> {
    pub(crate) train: D,
    pub(crate) eval: Option<D>,
    pub(crate) test: Option<D>,
}

/// What a split of a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Training,
    Scoring,
}

impl<D> Splits<D> {
    /// What the training loop takes.
    pub(super) fn training(&self) -> TrainingData<'_, D> {
        TrainingData {
            train: &self.train,
            eval: self.eval.as_ref(),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &D> {
        [Some(&self.train), self.eval.as_ref(), self.test.as_ref()]
            .into_iter()
            .flatten()
    }

    pub(crate) fn try_map<E>(self, map: impl Fn(D, Role) -> Result<E>) -> Result<Splits<E>> {
        let scored = |data| map(data, Role::Scoring);
        Ok(Splits {
            train: map(self.train, Role::Training)?,
            eval: self.eval.map(scored).transpose()?,
            test: self.test.map(scored).transpose()?,
        })
    }
}

/// What `bert train TASK` does in a way of its own.
pub(crate) trait FineTune {
    /// What the trained models are used for, for their cards.
    const USED_FOR: UsedFor;
    /// The model before its weights: what the training loop calls a task.
    type Model: Task + TaskModel<Network = <Self::Model as Task>::Model>;
    /// A data set as it was read.
    type Data: Clone;

    /// Reads the files and finds what is wrong with them, before anything is downloaded or computed.
    fn read(&self, flags: &FineTuneFlags) -> Result<Splits<Self::Data>>;

    /// What the labels of the data are to the loss.
    fn classes(&self, _data: &Splits<Self::Data>) -> Result<Classes> {
        Ok(Classes::None("the task has no classes to tell apart"))
    }

    /// The label that a word of a file of weights means.
    fn label_name(word: &str) -> String {
        word.to_owned()
    }

    /// Tells the model how its loss weighs classes.
    fn set_loss(
        &self,
        _loss: &LossFlags,
        _model: &mut Self::Model,
        _train: &<Self::Model as Task>::Split,
    ) -> Result<()> {
        Ok(())
    }

    /// How the data is cut into folds; `None` where it has no rows to cut.
    fn folds(&self) -> Option<&dyn Folds<Self::Data>> {
        None
    }

    /// Opens the checkpoint for training on this data, without its weights.
    fn open(
        &self,
        flags: &FineTuneFlags,
        data: &Splits<Self::Data>,
        checkpoint: &Path,
    ) -> Result<(Self::Model, HeadOrigin), TaskError>;

    /// Tokenizes a data set and describes it on standard error. `seed` seeds random choices about the data.
    fn encode(
        &self,
        model: &Self::Model,
        data: Self::Data,
        role: Role,
        seed: u64,
    ) -> Result<<Self::Model as Task>::Split>;
}

/// Runs `bert train` for a task. Cheap checks come first, so that a run that cannot succeed downloads and computes nothing.
pub(crate) fn run<C: FineTune>(command: &C, flags: &FineTuneFlags) -> Result<()> {
    let processes = Processes::join()?;
    let outcome = run_among(&processes, command, flags);
    processes.finish(outcome)
}

fn run_among<C: FineTune>(processes: &Processes, command: &C, flags: &FineTuneFlags) -> Result<()> {
    let options = flags.training.options()?;
    let repeats = flags.repeats.repeats()?;
    if !matches!(repeats, Repeats::Once) {
        flags.checkpoints.refuse_several_runs()?;
        refuse_several_processes(processes)?;
    }
    if processes.are_several() {
        flags.refuse_standard_input()?;
    }
    let resume = resumed(processes, flags)?;
    let source = ModelSource::find("--model", &flags.model)?;
    let words = flags;
    let flags = &processes.first_then_others(|| flags.with_data_files())?;
    let data = command.read(flags)?;
    let fold_of = cut(command, flags, &repeats, &data)?;
    let has_evaluation_data = data.eval.is_some() || fold_of.is_some();
    flags.training.check_evaluation(has_evaluation_data)?;
    let classes = command.classes(&data)?;
    let loss = &flags.training.loss;
    loss.check(&classes, options.sampler, C::label_name)?;
    let device = flags
        .runtime
        .open_shared(processes.sharing_processors()?, &asked_of_device(&options))?
        .autodiff();
    options.check_device(&device).map_err(|error| {
        WrongUsage(format!(
            "--precision on --device {}: {error}",
            flags.device()
        ))
    })?;
    let output = processes
        .is_first()
        .then(|| OutputDirectory::claim(&flags.output))
        .transpose()?;
    let checkpoint = processes.first_then_others(|| source.directory(flags.offline))?;

    let adapter = match &options.tune {
        Tune::Lora(lora) => Some((lora.clone(), source.base_model(&checkpoint)?)),
        _ => None,
    };
    let session = Session {
        command,
        words,
        flags,
        source: &source,
        options: &options,
        checkpoint: &checkpoint,
        adapter,
        device: &device,
        processes,
        features: (!matches!(repeats, Repeats::Once))
            .then(|| FeatureStore::empty(options.feature_cache, Some(&flags.output)))
            .flatten()
            .map(Arc::new),
    };
    let report = match (&repeats, fold_of) {
        (Repeats::Seeds(seeds), _) => repeats::with_seeds(&session, seeds, &data)?,
        (Repeats::Folds(_), Some(fold_of)) => repeats::with_folds(&session, &fold_of, &data)?,
        _ => {
            let alone = Alone { resume };
            json!(session.train(options.seed, data, &flags.output, Some(alone))?)
        }
    };
    output.into_iter().for_each(OutputDirectory::keep);

    let mut results = Results::new();
    results.json(&report)?;
    results.flush()
}

/// What a run asks of its device beyond computing.
fn asked_of_device(options: &TrainOptions) -> Vec<Setting> {
    let trains_parts = options.tune != Tune::All || options.freeze_embeddings;
    let is_bf16 = options.precision == Precision::Bf16;
    [
        trains_parts.then_some(Setting::PartsOfModel),
        is_bf16.then_some(Setting::Bf16),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Several runs in several processes at once are more than one thing at a time.
fn refuse_several_processes(processes: &Processes) -> Result<()> {
    match processes.are_several() {
        true => Err(WrongUsage(
            "--seeds and --folds are for one process; give --seed, or start `bert train` without mpirun".to_owned(),
        )
        .into()),
        false => Ok(()),
    }
}

/// Makes sure that there is something to go on from, or room for a new run.
fn resumed(processes: &Processes, flags: &FineTuneFlags) -> Result<Option<Checkpoint>> {
    if flags.checkpoints.is_resumed() {
        let anyway = flags.checkpoints.takes_differences();
        return resume::newest_checkpoint(&flags.output, anyway).map(Some);
    }
    if processes.is_first() {
        prepare_output(&flags.output, flags.overwrite)?;
    }
    Ok(None)
}

/// The fold of each row of the training data, where folds were asked for.
fn cut<C: FineTune>(
    command: &C,
    flags: &FineTuneFlags,
    repeats: &Repeats,
    data: &Splits<C::Data>,
) -> Result<Option<Vec<usize>>> {
    let Repeats::Folds(count) = *repeats else {
        return Ok(None);
    };
    let wrong = |message: &str| Err(WrongUsage(format!("--folds: {message}")).into());
    let Some(folds) = command.folds() else {
        return wrong("the data of this task are no rows that could be cut into folds");
    };
    if data.eval.is_some() {
        return wrong(
            "each fold is evaluation data in its turn; leave out --eval and --eval-filter",
        );
    }
    let rows = folds.rows(flags, &data.train)?;
    rows.cut(count, flags.training.seed).map(Some)
}
