//! What `bert evaluate` does for every task.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Result;
use bert_tasks::{EVALUATION_BATCH_SIZE, Metrics};
use clap::Args;
use serde::Serialize;

use crate::flags::{RuntimeFlags, Weights, at_least_one, whole_number};
use crate::results::Results;
use crate::whole_file::WholeFile;

#[derive(Debug, Args)]
pub(crate) struct EvaluateFlags {
    /// Directory of a model trained for this task, by us or with transformers
    #[arg(long, value_name = "DIR")]
    pub(crate) model: PathBuf,
    /// Data to score the model on
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// Also write the predictions; the file appears when it is complete
    #[arg(long, value_name = "FILE")]
    pub(crate) predictions: Option<PathBuf>,
    /// Longest sequence in tokens; by default the longest that the model takes, so that nothing is cut without need, and
    /// for question answering, which cuts nothing but reads windows, 384 as in training
    /// (for the figures of a training run give its --max-length)
    #[arg(long, value_name = "TOKENS", value_parser = whole_number)]
    pub(crate) max_length: Option<usize>,
    /// Rows of one forward pass; 64: larger ones are no faster on a CPU; the figures do not depend on it
    #[arg(long, value_name = "N", default_value_t = EVALUATION_BATCH_SIZE, value_parser = at_least_one)]
    pub(crate) batch_size: NonZeroUsize,
    /// Numbers in which the encoder's layers are multiplied on flex and ndarray; f32: as they are; bf16: rounded to 8
    /// significant bits; int8: to 255 steps for each output and token. Both are faster where the processor has AVX-512 BF16
    /// or VNNI and need a half or a quarter of the memory that f32 needs beside the weights themselves
    #[arg(long, value_enum, default_value_t = Weights::F32)]
    pub(crate) weights: Weights,
    #[command(flatten)]
    pub(crate) runtime: RuntimeFlags,
}

impl EvaluateFlags {
    /// Makes sure that the predictions can be written, before anything is computed.
    pub(crate) fn begin_predictions(&self) -> Result<Option<WholeFile>> {
        self.predictions
            .as_deref()
            .map(WholeFile::begin)
            .transpose()
    }
}

/// Writes one record a line, if they were asked for.
pub(crate) fn write_predictions<T: Serialize>(
    file: Option<WholeFile>,
    records: impl Iterator<Item = T>,
) -> Result<()> {
    let Some(mut file) = file else {
        return Ok(());
    };
    for record in records {
        file.json_line(&record)?;
    }
    file.commit()
}

/// The figures, for people and programs.
pub(crate) fn print_metrics(metrics: &Metrics) -> Result<()> {
    let mut results = Results::new();
    results.json(metrics)?;
    results.flush()
}
