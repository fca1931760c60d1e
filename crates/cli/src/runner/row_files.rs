//! The files of a training run whose examples are rows of columns.

use std::path::PathBuf;

use anyhow::Result;
use bert_text::{ColumnOptions, Dataset, RowFilter};
use clap::Args;

use super::train::{FineTuneFlags, Splits};
use crate::flags::{ColumnFlags, data_files};

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
    pub(crate) fn options(&self) -> ColumnOptions {
        self.columns.options()
    }

    /// Reads the rows of a run. A split is some files, or the rows of some files that pass its filter.
    pub(crate) fn read(
        &self,
        flags: &FineTuneFlags,
        options: &ColumnOptions,
    ) -> Result<Splits<Dataset>> {
        let filters = &self.filters;
        let of = |files: &[PathBuf], own: &[RowFilter]| match (files, own) {
            ([], []) => Ok(None),
            ([], own) => read(&flags.train, options, own).map(Some),
            (files, own) => read(files, options, own).map(Some),
        };
        Ok(Splits {
            train: read(&flags.train, options, &filters.train_filter)?,
            eval: of(&flags.eval, &filters.eval_filter)?,
            test: of(&flags.test, &filters.test_filter)?,
        })
    }
}

/// Reads files with the filters of every file and those of one split.
pub(crate) fn read(
    files: &[PathBuf],
    options: &ColumnOptions,
    own: &[RowFilter],
) -> Result<Dataset> {
    let options = ColumnOptions {
        filters: [&options.filters, own].concat(),
        ..options.clone()
    };
    Ok(Dataset::read_files(&data_files(files)?, &options)?)
}
