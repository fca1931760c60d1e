//! The files of a training run whose examples are rows of columns.

use std::path::PathBuf;

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use bert_text::{ColumnOptions, Dataset, Example, RowFilter};
use clap::Args;

use super::repeats::FoldRows;
use super::train::{FineTuneFlags, Splits};
use crate::failure::WrongUsage;
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

impl RowFlags {
    /// What each row of the training data is to the folds. `classes` has the class of each row, and `names` their
    /// names.
    pub(crate) fn fold_rows(
        &self,
        flags: &FineTuneFlags,
        options: &ColumnOptions,
        data: &Dataset,
        classes: Vec<usize>,
        names: Vec<String>,
    ) -> Result<FoldRows> {
        Ok(FoldRows {
            classes,
            names,
            groups: self.groups(flags, options, data)?,
        })
    }

    /// The value of each row in the column of the groups. The files are read a second time, with that column for the
    /// text; a row is found by its line.
    fn groups(
        &self,
        flags: &FineTuneFlags,
        options: &ColumnOptions,
        data: &Dataset,
    ) -> Result<Option<Vec<String>>> {
        let Some(column) = &flags.repeats.group_column else {
            return Ok(None);
        };
        let wrong = |message: &str| WrongUsage(format!("--group-column: {message}"));
        if flags.train.iter().any(|file| file == Path::new("-")) {
            return Err(wrong("standard input cannot be read a second time; give a file").into());
        }
        let options = ColumnOptions {
            text: Some(column.clone()),
            ..options.clone()
        };
        let rows = read(&flags.train, &options, &self.filters.train_filter)?;
        let rows = rows.examples.iter();
        let group_at: HashMap<(&Path, usize), &str> = rows
            .map(|row| ((&*row.file, row.line), row.text.as_str()))
            .collect();
        let group = |row: &Example| {
            group_at
                .get(&(&*row.file, row.line))
                .map(|&group| group.to_owned())
        };
        let groups: Option<Vec<String>> = data.examples.iter().map(group).collect();
        groups
            .map(Some)
            .ok_or_else(|| wrong("a row has no value in this column").into())
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
