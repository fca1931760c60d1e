//! `bert evaluate text-classification`

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use bert_tasks::text_classification::head::{ModelForSequenceClassification, ProblemType};
use bert_tasks::text_classification::{ClassifierOptions, Scored, Split, TextClassifier};
use bert_tasks::{Metrics, RunOptions, TaskError};
use bert_text::{Dataset, ReadNote};
use clap::Args;

use super::{encode, labelled_records};
use crate::flags::{ColumnFlags, LongTextFlags, print_notes};
use crate::runner::bootstrap::{FiguresOf, Units};
use crate::runner::evaluate::{self, Evaluate, EvaluateFlags, write_lines};
use crate::whole_file::WholeFile;

/// Accuracy and F1, or Pearson and Spearman, by what the model was trained for
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    flags: EvaluateFlags,
    #[command(flatten)]
    long_text: LongTextFlags,
    #[command(flatten)]
    columns: ColumnFlags,
}

impl EvaluateArgs {
    pub(crate) fn run(&self) -> Result<()> {
        self.long_text.check()?;
        evaluate::run(self, &self.flags)
    }
}

impl Evaluate for &EvaluateArgs {
    type Model = TextClassifier;
    type Data = Dataset;
    type Scored = Scored;

    fn read(&self, files: &[PathBuf]) -> Result<Dataset> {
        let data = Dataset::read_files(files, &self.columns.options())?;
        print_notes(&data.notes);
        Ok(data)
    }

    fn open(
        &self,
        directory: &Path,
        max_length: Option<usize>,
    ) -> Result<TextClassifier, TaskError> {
        TextClassifier::open_with(
            directory,
            ClassifierOptions {
                max_length,
                long_text: self.long_text.long_text(),
                ..ClassifierOptions::default()
            },
        )
    }

    fn encode(&self, classifier: &TextClassifier, data: &Dataset) -> Result<Split> {
        let guessed = |note: &ReadNote| matches!(note, ReadNote::Unlabelled { guessed: true, .. });
        if classifier.problem_type == ProblemType::Regression && data.notes.iter().any(guessed) {
            bail!(
                "{}: rows with the label -1 were left out, but the model predicts numbers; give --unlabelled none",
                data.path.display()
            );
        }
        encode(classifier, data)
    }

    fn score(
        &self,
        classifier: &TextClassifier,
        network: &ModelForSequenceClassification,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Scored, TaskError> {
        classifier.evaluate(network, split, run)
    }

    fn units(split: &Split) -> Option<Units> {
        Some(Units {
            noun: "row",
            count: split.len(),
        })
    }

    fn figures_of<'a>(
        model: &'a TextClassifier,
        split: &'a Split,
        scored: &'a Scored,
    ) -> Result<FiguresOf<'a>> {
        Ok(Box::new(
            |units| Ok(model.figures_of(scored, split, units)?),
        ))
    }

    fn finish(
        self,
        classifier: &TextClassifier,
        split: &Split,
        scored: Scored,
        predictions: Option<WholeFile>,
    ) -> Result<Metrics> {
        let records = labelled_records(&scored.predictions, split, classifier);
        write_lines(predictions, records)?;
        Ok(scored.evaluation.metrics)
    }
}
