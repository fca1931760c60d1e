//! What `bert evaluate` does for every task: read, open, encode, load, score, print.

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_hub::DataSplit;
use bert_tasks::{Metrics, RunOptions, Task, TaskError};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::bootstrap::{BootstrapFlags, FiguresOf, Units};
use super::{InferenceFlags, TaskModel};
use crate::data_source;
use crate::flags::data_files;
use crate::progress::ShareBar;
use crate::results::Results;
use crate::whole_file::WholeFile;

pub(crate) type EvaluateFlags = InferenceFlags<EvaluateFiles>;

#[derive(Debug, Args)]
pub(crate) struct EvaluateFiles {
    /// Data to score the model on: a file, several that are read as one, or a pattern such as 'part-*.tsv'; - is standard
    /// input. Files may be compressed (.gz, .zst, .zip with one file in it). Or a data set that `bert models` lists (NAME for
    /// its development file, or NAME/FILE)
    #[arg(long, value_name = "FILE|NAME", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// Also write the predictions; the file appears when it is complete
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    #[command(flatten)]
    bootstrap: BootstrapFlags,
}

/// What `bert evaluate TASK` does in a way of its own.
pub(crate) trait Evaluate: Sized {
    type Model: TaskModel + Task;
    /// A data set as it was read.
    type Data;
    /// Figures and predictions.
    type Scored;

    /// Reads the data and finds what is wrong with it, before anything is downloaded or computed.
    fn read(&self, files: &[PathBuf]) -> Result<Self::Data>;

    /// Opens a trained model, without its weights.
    fn open(&self, directory: &Path, max_length: Option<usize>) -> Result<Self::Model, TaskError>;

    /// Tokenizes the data and describes it on standard error.
    fn encode(&self, model: &Self::Model, data: &Self::Data) -> Result<SplitOf<Self::Model>>;

    /// Predicts and scores.
    fn score(
        &self,
        model: &Self::Model,
        network: &<Self::Model as TaskModel>::Network,
        split: &SplitOf<Self::Model>,
        run: RunOptions<'_>,
    ) -> Result<Self::Scored, TaskError>;

    /// What the bootstrap draws, such as rows, and how many there are; `None` where nothing can be drawn.
    fn units(_split: &SplitOf<Self::Model>) -> Option<Units> {
        None
    }

    /// The figures of some of these units, each as often as it is listed.
    fn figures_of<'a>(
        _model: &'a Self::Model,
        _split: &'a SplitOf<Self::Model>,
        _scored: &'a Self::Scored,
    ) -> Result<FiguresOf<'a>> {
        Ok(Box::new(|_| Ok(Metrics::new())))
    }

    /// Writes what was asked for beside the figures, and returns the figures.
    fn finish(
        self,
        model: &Self::Model,
        split: &SplitOf<Self::Model>,
        scored: Self::Scored,
        predictions: Option<WholeFile>,
    ) -> Result<Metrics>;
}

/// A data set as a model takes it.
pub(crate) type SplitOf<M> = <M as Task>::Split;

/// Runs `bert evaluate` for a task. Cheap checks come first, so that a run that cannot succeed downloads and computes
/// nothing.
pub(crate) fn run<C: Evaluate>(command: C, flags: &EvaluateFlags) -> Result<()> {
    let predictions = begin(flags.files.predictions.as_deref())?;
    let source = flags.find_model()?;
    let files = &flags.files.data;
    let files = data_source::find_all("--data", files, DataSplit::Dev, flags.offline)?;
    let data = command.read(&data_files(&files)?)?;
    let device = flags.runtime.open()?;
    let model = flags.open(&source, |directory, max_length| {
        command.open(directory, max_length)
    })?;
    let split = command.encode(&model, &data)?;
    let bootstrap = flags.files.bootstrap.over(C::units(&split))?;
    let loaded = flags.load(model, device)?;
    let scored = {
        let bar = ShareBar::new("evaluating");
        let mut progress = |share| bar.set(share);
        let run = loaded.run(&mut progress);
        command.score(&loaded.model, &loaded.network, &split, run)?
    };
    let intervals = match bootstrap {
        Some(bootstrap) => {
            let figures_of = C::figures_of(&loaded.model, &split, &scored)?;
            Some(bootstrap.intervals(figures_of)?)
        }
        None => None,
    };
    let mut metrics = command.finish(&loaded.model, &split, scored, predictions)?;
    if let Some(intervals) = intervals {
        intervals.show(&metrics);
        metrics.insert("bootstrap".to_owned(), json!(intervals));
    }
    let mut results = Results::new();
    results.json(&metrics)?;
    results.flush()
}

/// Opens a file that was asked for, before anything is computed.
pub(crate) fn begin(path: Option<&Path>) -> Result<Option<WholeFile>> {
    path.map(WholeFile::begin).transpose()
}

/// Writes one record a line, if the file was asked for.
pub(crate) fn write_lines<T: Serialize>(
    file: Option<WholeFile>,
    records: impl Iterator<Item = Result<T>>,
) -> Result<()> {
    let Some(mut file) = file else {
        return Ok(());
    };
    for record in records {
        file.json_line(&record?)?;
    }
    file.commit()
}
