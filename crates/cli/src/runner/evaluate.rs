//! What `bert evaluate` does for every task: read, open, encode, load, score, print.

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_tasks::Metrics;
use clap::Args;
use serde::Serialize;

use super::{InferenceFlags, Loaded, TaskModel};
use crate::progress::ShareBar;
use crate::results::Results;
use crate::whole_file::WholeFile;

pub(crate) type EvaluateFlags = InferenceFlags<EvaluateFiles>;

#[derive(Debug, Args)]
pub(crate) struct EvaluateFiles {
    /// Data to score the model on
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Also write the predictions; the file appears when it is complete
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
}

/// What `bert evaluate TASK` does in a way of its own.
pub(crate) trait Evaluate: Sized {
    type Model: TaskModel;
    /// A data set as it was read.
    type Data;
    /// A data set as the model takes it.
    type Split;
    /// Figures and predictions.
    type Scored;

    /// Reads the data and finds what is wrong with it, before anything is downloaded or computed.
    fn read(&self, path: &Path) -> Result<Self::Data>;

    /// Opens a trained model, without its weights.
    fn open(&self, directory: &Path, max_length: Option<usize>) -> Result<Self::Model>;

    /// Tokenizes the data and says what there is.
    fn encode(&self, model: &Self::Model, data: &Self::Data) -> Result<Self::Split>;

    /// Predicts and scores. `tick` is called with the share that is done.
    fn score(
        &self,
        loaded: &Loaded<Self::Model>,
        split: &Self::Split,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Self::Scored>;

    /// Writes what was asked for beside the figures.
    fn write(
        self,
        model: &Self::Model,
        split: &Self::Split,
        scored: &Self::Scored,
        predictions: Option<WholeFile>,
    ) -> Result<()>;

    /// The figures.
    fn metrics(scored: Self::Scored) -> Metrics;
}

/// Cheap checks come first: nothing is downloaded or computed for a run that cannot end well.
pub(crate) fn run<C: Evaluate>(command: C, flags: &EvaluateFlags) -> Result<()> {
    let predictions = begin(flags.files.predictions.as_deref())?;
    let source = flags.find_model()?;
    let data = command.read(&flags.files.data)?;
    let device = flags.runtime.open()?;
    let model = flags.open(&source, |directory, max_length| {
        command.open(directory, max_length)
    })?;
    let split = command.encode(&model, &data)?;
    let loaded = flags.load(model, device)?;
    let scored = {
        let bar = ShareBar::new("evaluating");
        command.score(&loaded, &split, &mut |share| bar.set(share))?
    };
    command.write(&loaded.model, &split, &scored, predictions)?;
    let mut results = Results::new();
    results.json(&C::metrics(scored))?;
    results.flush()
}

/// Makes sure that a file can be written if it was asked for, before anything is computed.
pub(crate) fn begin(path: Option<&Path>) -> Result<Option<WholeFile>> {
    path.map(WholeFile::begin).transpose()
}

/// Writes one record a line, if they were asked for.
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
