//! `--problem-type`

use bert_tasks::TaskError;
use bert_tasks::text_classification::guess_problem_type;
use bert_tasks::text_classification::head::ProblemType;
use bert_text::{ColumnOptions, Dataset, Unlabelled};
use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ProblemTypeWord {
    Auto,
    SingleLabel,
    MultiLabel,
    Regression,
}

impl ProblemTypeWord {
    /// The word, or what the labels of a data set suggest.
    pub(super) fn resolve(self, data: &Dataset) -> Result<ProblemType, TaskError> {
        Ok(match self {
            Self::Auto => guess_problem_type(data)?,
            Self::SingleLabel => ProblemType::SingleLabelClassification,
            Self::MultiLabel => ProblemType::MultiLabelClassification,
            Self::Regression => ProblemType::Regression,
        })
    }

    /// How to read the rows: to a regression −1 is a number like others.
    pub(super) fn options(self, options: ColumnOptions) -> ColumnOptions {
        match (self, &options.unlabelled_label) {
            (Self::Regression, Unlabelled::Auto) => ColumnOptions {
                unlabelled_label: Unlabelled::None,
                ..options
            },
            _ => options,
        }
    }
}
