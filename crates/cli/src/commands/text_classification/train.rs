//! `bert train text-classification`

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use bert_text::{Dataset, LabelSet};
use bert_text_classification::{BertForSequenceClassification, ProblemType};
use bert_train::text_classification::{
    DropoutOverride, EVALUATION_BATCH_SIZE, Split, Targets, TextClassificationTask, TextClassifier,
    guess_problem_type,
};
use bert_train::{Observers, TrainOptions, Trained, TrainingLog, prepare_output, train};
use burn::tensor::Device;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{describe, score};
use crate::flags::{ColumnFlags, RuntimeFlags, TrainingFlags};
use crate::format;
use crate::model_source::ModelSource;
use crate::output_directory::OutputDirectory;
use crate::progress::TrainingProgress;
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Model to start from: a name that `bert models` lists, or a checkpoint directory
    #[arg(long, value_name = "NAME|DIR")]
    model: String,
    /// Labelled data to learn from: TSV, CSV or JSON Lines; two columns without a header are text and label
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// Labelled data that says which checkpoint is best; without it the last one is kept
    #[arg(long, value_name = "FILE")]
    eval: Option<PathBuf>,
    /// Labelled data that the best checkpoint is scored on in the end
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Directory for the trained model and training.jsonl
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Replace what an output directory with files in it holds; by default that is an error, so that no earlier run is
    /// lost
    #[arg(long)]
    overwrite: bool,
    /// What the labels are; auto: several classes a row are multi-label, numbers with fractions a regression,
    /// everything else is single-label
    #[arg(long, value_enum, default_value_t = ProblemTypeWord::Auto)]
    problem_type: ProblemTypeWord,
    /// TOML file with options: its keys are the long names of these flags, its paths start at the current directory; a
    /// flag given here wins
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Use no network: a named model has to be in the cache
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    training: TrainingFlags,
    #[command(flatten)]
    columns: ColumnFlags,
    #[command(flatten)]
    runtime: RuntimeFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProblemTypeWord {
    Auto,
    SingleLabel,
    MultiLabel,
    Regression,
}

impl ProblemTypeWord {
    fn resolve(self, data: &Dataset) -> ProblemType {
        match self {
            Self::Auto => guess_problem_type(data),
            Self::SingleLabel => ProblemType::SingleLabelClassification,
            Self::MultiLabel => ProblemType::MultiLabelClassification,
            Self::Regression => ProblemType::Regression,
        }
    }
}

/// Cheap checks come first: nothing is downloaded or computed for a run that cannot end well.
pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    let options = args.training.options()?;
    prepare_output(&args.output, args.overwrite)?;
    let source = ModelSource::find(&args.model)?;
    let data = Data::read(args)?;
    let device = args.runtime.open()?.autodiff();
    let output = OutputDirectory::claim(&args.output)?;
    let directory = source.directory(args.offline)?;

    let prepared = Prepared::new(args, &data, &directory, &options, &device)?;
    let mut progress = TrainingProgress::new();
    let mut log = TrainingLog::new(output.path());
    let mut observers = Observers(vec![&mut log, &mut progress]);
    let clock = Instant::now();
    let Prepared { task, test, model } = prepared;
    let trained = train(
        &task,
        model,
        &options,
        &device,
        Some(output.path()),
        &mut observers,
    )?;
    drop(progress);
    let time = format::clock(clock.elapsed());
    eprintln!("done    {} after {time}", args.output.display());
    let test = test.map(|test| {
        score(
            &task.classifier,
            &trained.model,
            &test,
            EVALUATION_BATCH_SIZE,
            &device.clone().inner(),
        )
    });
    let test = test.transpose()?.map(|scored| scored.evaluation.metrics);
    output.keep();

    let mut results = Results::new();
    results.json(&report(args, &trained, test.map(Value::Object)))?;
    results.flush()
}

/// The files of a run, whose labels agree.
struct Data {
    train: Dataset,
    eval: Option<Dataset>,
    test: Option<Dataset>,
    problem_type: ProblemType,
}

impl Data {
    fn read(args: &TrainArgs) -> Result<Self> {
        let columns = args.columns.options();
        let read = |path: &PathBuf| Dataset::read(path, &columns);
        let train = read(&args.train)?;
        let eval = args.eval.as_ref().map(read).transpose()?;
        let test = args.test.as_ref().map(read).transpose()?;
        let problem_type = args.problem_type.resolve(&train);
        // The checkpoint may order the labels otherwise, but has no say in which there are.
        let labels = match problem_type {
            ProblemType::Regression => LabelSet::new(Vec::new())?,
            _ => LabelSet::from_dataset(&train)?,
        };
        for data in [Some(&train), eval.as_ref(), test.as_ref()]
            .into_iter()
            .flatten()
        {
            Targets::of(data, &labels, problem_type)?;
        }
        Ok(Self {
            train,
            eval,
            test,
            problem_type,
        })
    }
}

/// Everything in memory, before the first step.
struct Prepared {
    task: TextClassificationTask,
    test: Option<Split>,
    model: BertForSequenceClassification,
}

impl Prepared {
    fn new(
        args: &TrainArgs,
        data: &Data,
        directory: &Path,
        options: &TrainOptions,
        device: &Device,
    ) -> Result<Self> {
        let dropout = DropoutOverride {
            hidden: args.training.dropout,
            attention: args.training.dropout,
        };
        let max_length = args.training.max_length;
        let (classifier, head) = TextClassifier::for_training(
            directory,
            &data.train,
            data.problem_type,
            max_length,
            dropout,
        )?;
        eprintln!("model   {}: {}", args.model, describe::model(&classifier));
        eprintln!("head    {}", describe::head(head, &classifier));
        let encode = |dataset: &Dataset| -> Result<Split> {
            let split = classifier.encode(dataset)?;
            eprintln!("data    {}", describe::data(&split, &classifier));
            Ok(split)
        };
        let train = encode(&data.train)?;
        let eval = data.eval.as_ref().map(encode).transpose()?;
        let test = data.test.as_ref().map(encode).transpose()?;
        // A new head draws its weights while the checkpoint is loaded.
        device.seed(options.seed);
        let (model, report) = classifier.load(head, device)?;
        eprintln!("load    {}", describe::load(&report));
        let task = TextClassificationTask {
            classifier,
            train,
            eval,
        };
        Ok(Self { task, test, model })
    }
}

fn report<M>(args: &TrainArgs, trained: &Trained<M>, test: Option<Value>) -> Value {
    json!({
        "best": trained.best.as_ref().map(|best| &best.metrics),
        "test": test,
        "output": args.output,
        "train_seconds": trained.training_seconds,
        "tokens_per_second": trained.tokens as f64 / trained.training_seconds.max(f64::MIN_POSITIVE),
    })
}
