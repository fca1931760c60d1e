//! `bert check text-classification`

use anyhow::Result;
use bert_tasks::text_classification::guess_problem_type;
use bert_text::{Dataset, RowFilter};
use bert_text_classification::ProblemType;
use clap::Args;

use super::report::Report;
use super::rows::{self, Rows};
use super::{CheckFlags, tokens};
use crate::commands::row_files::read;
use crate::commands::text_classification::DEFAULT_MAX_LENGTH;
use crate::flags::ColumnFlags;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(super) flags: CheckFlags,
    #[command(flatten)]
    pub(super) columns: ColumnFlags,
    /// Of --data, take the rows with this value in this column only, as in SemEval_set=TRAIN
    #[arg(long, value_name = "COLUMN=VALUE", help_heading = "Data files")]
    data_filter: Vec<RowFilter>,
    /// The same of --eval; without --eval, of the file of --data, which then holds both
    #[arg(long, value_name = "COLUMN=VALUE", help_heading = "Data files")]
    eval_filter: Vec<RowFilter>,
}

impl CheckArgs {
    /// The data, and what to score on.
    pub(super) fn read(&self) -> Result<(Dataset, Option<Dataset>)> {
        let options = self.columns.options();
        let train = read(&self.flags.data, &options, &self.data_filter)?;
        let same_file = (!self.eval_filter.is_empty()).then_some(&self.flags.data);
        let eval = self.flags.eval.as_ref().or(same_file);
        let eval = eval.map(|file| read(file, &options, &self.eval_filter));
        Ok((train, eval.transpose()?))
    }
}

pub(crate) fn run(args: &CheckArgs) -> Result<()> {
    let (train, eval) = args.read()?;
    let has_classes = guess_problem_type(&train) != ProblemType::Regression;
    report_rows(&args.flags, &train, eval.as_ref(), has_classes)?.print(args.flags.json)
}

/// Everything that is said about rows of texts and labels.
pub(super) fn report_rows(
    flags: &CheckFlags,
    train: &Dataset,
    eval: Option<&Dataset>,
    has_classes: bool,
) -> Result<Report> {
    let pretrained = flags.pretrained(DEFAULT_MAX_LENGTH)?;
    let train = Rows::of(train, has_classes);
    let eval = eval.map(|eval| Rows::of(eval, has_classes));
    let mut report = Report::default();
    for (split, rows) in [("data", Some(&train)), ("eval", eval.as_ref())] {
        let Some(rows) = rows else { continue };
        rows::check(split, rows, &mut report);
        tokens::check(split, rows, pretrained.as_ref(), &mut report)?;
    }
    rows::compare(&train, eval.as_ref(), &mut report);
    Ok(report)
}
