//! The files of a training run whose examples are rows of columns.

use std::path::Path;

use anyhow::Result;
use bert_text::{ColumnOptions, Dataset, RowFilter};
use clap::Args;

use super::train::{FineTuneFlags, Splits};
use crate::flags::ColumnFlags;

#[derive(Debug, Args)]
pub(crate) struct RowFlags {
    #[command(flatten)]
    columns: ColumnFlags,
    #[command(flatten)]
    filters: SplitFilters,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Data files")]
struct SplitFilters {
    /// Of --train, read only the rows with this value in this column, as in SemEval_set=TRAIN
    #[arg(long, value_name = "COLUMN=VALUE")]
    train_filter: Vec<RowFilter>,
    /// The same for --eval. Without --eval, the rows come from the file of --train, which then holds both splits
    #[arg(long, value_name = "COLUMN=VALUE")]
    eval_filter: Vec<RowFilter>,
    /// The same for --test. Without --test, the rows come from the file of --train
    #[arg(long, value_name = "COLUMN=VALUE")]
    test_filter: Vec<RowFilter>,
}

impl RowFlags {
    /// Reads the rows of a run. A split is a file, or the rows of a file that pass its filter.
    pub(crate) fn read(&self, flags: &FineTuneFlags) -> Result<Splits<Dataset>> {
        let options = self.columns.options();
        let filters = &self.filters;
        let of = |file: Option<&Path>, own: &[RowFilter]| {
            let file = file.or_else(|| (!own.is_empty()).then_some(&flags.train));
            file.map(|file| read(file, &options, own)).transpose()
        };
        Ok(Splits {
            train: read(&flags.train, &options, &filters.train_filter)?,
            eval: of(flags.eval.as_deref(), &filters.eval_filter)?,
            test: of(flags.test.as_deref(), &filters.test_filter)?,
        })
    }
}

/// Reads a file with the filters of every file and those of one split.
pub(crate) fn read(file: &Path, options: &ColumnOptions, own: &[RowFilter]) -> Result<Dataset> {
    let options = ColumnOptions {
        filters: [&options.filters, own].concat(),
        ..options.clone()
    };
    Ok(Dataset::read(file, &options)?)
}
