//! `bert check text-classification`, and the checks of any data that are rows of texts and labels.

use anyhow::Result;
use bert_tasks::text_classification::head::ProblemType;
use bert_text::{ColumnOptions, Dataset, RowFilter};
use clap::Args;

use super::DEFAULT_MAX_LENGTH;
use super::problem_type::ProblemTypeWord;
use crate::flags::ColumnFlags;
use crate::runner::check::report::{Finding, Report};
use crate::runner::check::rows::{self, Rows};
use crate::runner::check::{CheckFlags, Checked, print_warnings, tokens};
use crate::runner::row_files::read;

/// Labels seen once, duplicates between the files, class balance, lengths, what is cut, unknown tokens
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    rows: CheckRowsFlags,
    /// What the labels are; auto: as `bert train` finds it out
    #[arg(long, value_enum, default_value_t = ProblemTypeWord::Auto, help_heading = "Task")]
    problem_type: ProblemTypeWord,
}

#[derive(Debug, Args)]
pub(crate) struct CheckRowsFlags {
    #[command(flatten)]
    pub(crate) flags: CheckFlags,
    #[command(flatten)]
    columns: ColumnFlags,
    /// Of --data, read only the rows with this value in this column, as in SemEval_set=TRAIN
    #[arg(long, value_name = "COLUMN=VALUE", help_heading = "Data files")]
    data_filter: Vec<RowFilter>,
    /// The same for --eval. Without --eval, the rows come from the file of --data, which then holds both splits
    #[arg(long, value_name = "COLUMN=VALUE", help_heading = "Data files")]
    eval_filter: Vec<RowFilter>,
}

impl CheckRowsFlags {
    pub(crate) fn options(&self) -> ColumnOptions {
        self.columns.options()
    }

    pub(crate) fn read(&self, options: &ColumnOptions) -> Result<Checked<Dataset>> {
        let (data, eval) = (self.flags.data_files()?, self.flags.eval_files()?);
        let eval = match (eval.as_slice(), self.eval_filter.as_slice()) {
            ([], []) => None,
            ([], filter) => Some(read(&data, options, filter)?),
            (files, filter) => Some(read(files, options, filter)?),
        };
        Ok(Checked {
            data: read(&data, options, &self.data_filter)?,
            eval,
        })
    }
}

impl CheckArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let options = self.problem_type.options(self.rows.options());
        let datasets = self.rows.read(&options)?;
        let has_classes = self.problem_type.resolve(&datasets.data)? != ProblemType::Regression;
        let flags = &self.rows.flags;
        report_rows(flags, &datasets.map(|data| data), has_classes)?.print(flags.json)
    }
}

/// All checks of rows of texts and labels.
pub(crate) fn report_rows(
    flags: &CheckFlags,
    datasets: &Checked<&Dataset>,
    has_classes: bool,
) -> Result<Report> {
    let pretrained = flags.pretrained(DEFAULT_MAX_LENGTH)?;
    let checked = datasets.map(|data| Rows::of(data, has_classes));
    let mut report = Report::default();
    for (_, data) in datasets.named() {
        report.findings(data.notes.iter().map(Finding::of_note));
    }
    for (split, rows) in checked.named() {
        rows::check(split, rows, &mut report);
        tokens::check(split, rows, pretrained.as_ref(), &mut report)?;
    }
    rows::compare(&checked.data, checked.eval.as_ref(), &mut report);
    Ok(report)
}

/// The quick checks, which `bert train` makes as well: labels seen once, labels that the evaluation data lack, and
/// rows that both files have become warnings.
pub(crate) fn warn(train: &Dataset, eval: Option<&Dataset>, has_classes: bool) {
    let train = Rows::of(train, has_classes);
    let eval = eval.map(|eval| Rows::of(eval, has_classes));
    print_warnings(rows::cheap_findings(&train, eval.as_ref()));
    if let Some(eval) = &eval {
        print_warnings(rows::labels_of_one_side(&train, eval));
    }
}
