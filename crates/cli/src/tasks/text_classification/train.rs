//! `bert train text-classification`

use std::path::Path;

use anyhow::Result;
use bert_report::UsedFor;
use bert_tasks::text_classification::head::ProblemType;
use bert_tasks::text_classification::{Split, Targets, TextClassifier};
use bert_tasks::{HeadOrigin, TaskError};
use bert_text::{Dataset, LabelSet};
use clap::Args;

use super::problem_type::ProblemTypeWord;
use super::{DEFAULT_MAX_LENGTH, encode, warn};
use crate::flags::{Classes, LongTextFlags, LossFlags, print_notes};
use crate::runner::repeats::{FoldRows, Folds};
use crate::runner::row_files::RowFlags;
use crate::runner::train::{self, FineTune, FineTuneFlags, Role, Splits};

/// Texts or pairs of texts to one class, several classes, or a number. Data: TSV, CSV, JSON Lines, Parquet or Arrow with
/// texts and labels; two columns without a header are text and label
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    flags: FineTuneFlags,
    /// What the labels are; auto: several classes a row are multi-label, numbers with fractions a regression,
    /// everything else is single-label
    #[arg(long, value_enum, default_value_t = ProblemTypeWord::Auto, help_heading = "Task")]
    problem_type: ProblemTypeWord,
    #[command(flatten)]
    long_text: LongTextFlags,
    #[command(flatten)]
    rows: RowFlags,
}

impl TrainArgs {
    pub(crate) fn run(&self) -> Result<()> {
        self.long_text.check()?;
        train::run(self, &self.flags)
    }
}

impl FineTune for TrainArgs {
    const USED_FOR: UsedFor = UsedFor {
        task: "text-classification",
        pipeline_tag: Some("text-classification"),
        input_line: "A film to remember.",
        python: r#"from transformers import pipeline

classify = pipeline("text-classification", model="MODEL")
print(classify("A film to remember."))"#,
    };
    type Model = TextClassifier;
    type Data = Dataset;

    fn read(&self, flags: &FineTuneFlags) -> Result<Splits<Dataset>> {
        let options = self.problem_type.options(self.rows.options());
        let splits = self.rows.read(flags, &options)?;
        for data in splits.all() {
            print_notes(&data.notes);
        }
        let problem_type = self.problem_type.resolve(&splits.train)?;
        // The checkpoint decides the order of the labels, but not which labels there are.
        let labels = match problem_type {
            ProblemType::Regression => LabelSet::new(Vec::new())?,
            _ => LabelSet::from_dataset(&splits.train)?,
        };
        for data in splits.all() {
            Targets::of(data, &labels, problem_type)?;
        }
        let has_classes = problem_type != ProblemType::Regression;
        warn(&splits.train, splits.eval.as_ref(), has_classes);
        Ok(splits)
    }

    fn classes(&self, data: &Splits<Dataset>) -> Result<Classes> {
        let train = &data.train;
        Ok(match self.problem_type.resolve(train)? {
            ProblemType::SingleLabelClassification => {
                Classes::OneARow(LabelSet::from_dataset(train)?)
            }
            ProblemType::MultiLabelClassification => {
                Classes::SeveralARow(LabelSet::from_dataset(train)?)
            }
            ProblemType::Regression => {
                Classes::None("a regression predicts numbers and has no classes")
            }
        })
    }

    fn set_loss(
        &self,
        loss: &LossFlags,
        classifier: &mut TextClassifier,
        train: &Split,
    ) -> Result<()> {
        let balanced = || classifier.balanced_class_weights(train);
        let options = loss.options(&classifier.labels, Self::label_name, balanced)?;
        Ok(classifier.set_loss(options)?)
    }

    fn folds(&self) -> Option<&dyn Folds<Dataset>> {
        Some(self)
    }

    fn open(
        &self,
        flags: &FineTuneFlags,
        data: &Splits<Dataset>,
        checkpoint: &Path,
    ) -> Result<(TextClassifier, HeadOrigin), TaskError> {
        let (mut classifier, head) = TextClassifier::for_training(
            checkpoint,
            &data.train,
            self.problem_type.resolve(&data.train)?,
            flags.training.max_length(DEFAULT_MAX_LENGTH),
            flags.training.dropout(),
        )?;
        classifier.long_text = self.long_text.long_text().unwrap_or_default();
        Ok((classifier, head))
    }

    fn encode(
        &self,
        classifier: &TextClassifier,
        data: Dataset,
        _role: Role,
        _seed: u64,
    ) -> Result<Split> {
        encode(classifier, &data)
    }
}

impl Folds<Dataset> for TrainArgs {
    fn rows(&self, flags: &FineTuneFlags, data: &Dataset) -> Result<FoldRows> {
        let options = self.problem_type.options(self.rows.options());
        let (classes, names) = match self.problem_type.resolve(data)? {
            ProblemType::SingleLabelClassification => {
                let labels = LabelSet::from_dataset(data)?;
                (labels.resolve(data)?, labels.names().to_vec())
            }
            // Several labels, or a number: the rows are spread by chance alone.
            ProblemType::MultiLabelClassification | ProblemType::Regression => {
                (vec![0; data.examples.len()], Vec::new())
            }
        };
        self.rows.fold_rows(flags, &options, data, classes, names)
    }

    fn subset(&self, data: &Dataset, rows: &[usize]) -> Dataset {
        let labels = LabelSet::from_dataset(data).ok();
        let names = labels.map(|labels| labels.names().to_vec());
        data.subset(rows, names)
    }
}
