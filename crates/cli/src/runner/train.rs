//! What `bert train` does for every task: one order of checks, one loop, one report.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use bert_hub::DataSplit;
use bert_report::{EvaluationFile, UsedFor};
use bert_tasks::pretraining::EVALUATION_SEED;
use bert_tasks::{Evaluation, HeadOrigin, RunOptions, Task, TaskError};
use bert_train::{
    EvaluationLog, Observers, TensorBoardLog, TrainOptions, Trained, TrainingData, TrainingLog,
    prepare_output, train,
};
use burn::tensor::Device;
use clap::Args;
use serde_json::{Value, json};

use super::run_record::RunRecord;
use super::{TaskModel, print_files, print_unknown_tensors};
use crate::data_source;
use crate::describe;
use crate::flags::{RuntimeFlags, TrainingFlags, data_files};
use crate::format;
use crate::model_source::ModelSource;
use crate::output_directory::OutputDirectory;
use crate::progress::{ShareBar, TrainingProgress};
use crate::results::Results;

#[derive(Debug, Clone, Args)]
pub(crate) struct FineTuneFlags {
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
    output: PathBuf,
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
    runtime: RuntimeFlags,
}

impl FineTuneFlags {
    /// Where the run computes.
    pub(crate) fn device(&self) -> String {
        self.runtime.device.to_string()
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
    type Data;

    /// Reads the files and finds what is wrong with them, before anything is downloaded or computed.
    fn read(&self, flags: &FineTuneFlags) -> Result<Splits<Self::Data>>;

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
    let options = flags.training.options()?;
    prepare_output(&flags.output, flags.overwrite)?;
    let source = ModelSource::find("--model", &flags.model)?;
    let (words, flags) = (flags, &flags.with_data_files()?);
    let data = command.read(flags)?;
    let device = flags.runtime.open()?.autodiff();
    let output = OutputDirectory::claim(&flags.output)?;
    let checkpoint = source.directory(flags.offline)?;

    device.seed(options.seed);
    let mut ready = prepare(command, flags, data, &checkpoint, &device)?;
    let mut record = RunRecord::new(
        C::USED_FOR,
        words,
        (&source, checkpoint.as_path()),
        (&mut ready.task, &ready.splits),
        output.path(),
    );
    let (task, splits) = (&ready.task, &ready.splits);
    let trained = run_loop(
        task,
        ready.network,
        splits,
        &options,
        &device,
        output.path(),
        &mut record,
    )?;
    let test = splits.test.as_ref();
    let test = test.map(|test| score(task, &trained.model, test, &device.inner()));
    let test = test.transpose()?;
    if let (None, Some(test)) = (&trained.best, &test) {
        test_file(test).write(output.path())?;
    }
    record.finish(test.as_ref().map(|test| &test.metrics))?;
    let test = test.map(|test| Value::Object(test.metrics));
    output.keep();

    let mut results = Results::new();
    results.json(&report(flags, &trained, test))?;
    results.flush()
}

/// What the training loop starts from.
struct Prepared<T: Task> {
    task: T,
    network: T::Model,
    splits: Splits<T::Split>,
}

/// Opens the checkpoint, tokenizes the data and loads the weights, and describes them on standard error.
fn prepare<C: FineTune>(
    command: &C,
    flags: &FineTuneFlags,
    data: Splits<C::Data>,
    checkpoint: &Path,
    device: &Device,
) -> Result<Prepared<C::Model>> {
    let (mut task, head) = command.open(flags, &data, checkpoint)?;
    eprintln!("model   {}: {}", flags.model, task.describe());
    print_files(task.pretrained());
    if let Some(head) = task.describe_head(head) {
        eprintln!("head    {head}");
    }
    let splits = data.try_map(|data, role| {
        // Training data depend on the run's seed, evaluation data do not.
        let seed = match role {
            Role::Training => flags.training.seed,
            Role::Scoring => EVALUATION_SEED,
        };
        command.encode(&task, data, role, seed)
    })?;
    let (network, report) = task.load(head, device)?;
    eprintln!("load    {}", describe::load(&report));
    print_unknown_tensors(&report);
    Ok(Prepared {
        task,
        network,
        splits,
    })
}

fn run_loop<T: Task>(
    task: &T,
    model: T::Model,
    splits: &Splits<T::Split>,
    options: &TrainOptions,
    device: &Device,
    output: &Path,
    record: &mut RunRecord,
) -> Result<Trained<T::Model>> {
    let mut progress = TrainingProgress::new();
    let mut log = TrainingLog::new(output);
    let mut tensorboard = TensorBoardLog::new(output);
    let mut evaluations = EvaluationLog::new(output);
    let mut observers = Observers(vec![
        &mut log,
        &mut tensorboard,
        &mut evaluations,
        record,
        &mut progress,
    ]);
    let clock = Instant::now();
    let data = TrainingData {
        train: &splits.train,
        eval: splits.eval.as_ref(),
    };
    let dir = Some(output);
    let trained = train(task, model, data, options, device, dir, &mut observers)?;
    drop(progress);
    let time = format::clock(clock.elapsed());
    eprintln!("done    {} after {time}", output.display());
    Ok(trained)
}

fn score<T: Task>(
    task: &T,
    model: &T::Model,
    split: &T::Split,
    device: &Device,
) -> Result<Evaluation> {
    let bar = ShareBar::new("evaluating");
    let mut progress = |share| bar.set(share);
    Ok(task.score(model, split, RunOptions::new(device, &mut progress))?)
}

/// `evaluation.json` of a run without evaluation data.
fn test_file(test: &Evaluation) -> EvaluationFile {
    EvaluationFile {
        data: "test".to_owned(),
        metrics: test.metrics.clone(),
        selected_by: test.selected_by.to_owned(),
        examination: test.examination.clone(),
        ..EvaluationFile::default()
    }
}

fn report<M>(flags: &FineTuneFlags, trained: &Trained<M>, test: Option<Value>) -> Value {
    json!({
        "best": trained.best.as_ref().map(|best| &best.metrics),
        "test": test,
        "output": flags.output,
        "train_seconds": trained.training_seconds,
        "tokens_per_second": trained.tokens as f64 / trained.training_seconds.max(f64::MIN_POSITIVE),
    })
}
