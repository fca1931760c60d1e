//! `bert evaluate natural-language-inference`

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_tasks::natural_language_inference::{NliClassifier, NliData, NliScored};
use bert_tasks::text_classification::head::ModelForSequenceClassification;
use bert_tasks::text_classification::{ClassifierOptions, Split};
use bert_tasks::{Metrics, RunOptions, TaskError};
use bert_text::Dataset;
use clap::Args;

use super::{agreed, confusion, encode};
use crate::flags::{ColumnFlags, LongTextFlags, print_notes};
use crate::runner::bootstrap::{FiguresOf, Units};
use crate::runner::evaluate::{self, Evaluate, EvaluateFlags, write_lines};
use crate::tasks::text_classification::labelled_records;
use crate::whole_file::WholeFile;

/// Accuracy, scores of each label and the confusion matrix, which is printed on standard error, too
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
    type Model = NliClassifier;
    type Data = NliData;
    type Scored = NliScored;

    fn read(&self, files: &[PathBuf]) -> Result<NliData> {
        let data = Dataset::read_files(files, &self.columns.options())?;
        print_notes(&data.notes);
        agreed(data)
    }

    fn open(
        &self,
        directory: &Path,
        max_length: Option<usize>,
    ) -> Result<NliClassifier, TaskError> {
        NliClassifier::open_with(
            directory,
            ClassifierOptions {
                max_length,
                long_text: self.long_text.long_text(),
                ..ClassifierOptions::default()
            },
        )
    }

    fn encode(&self, nli: &NliClassifier, data: &NliData) -> Result<Split> {
        encode(nli, data)
    }

    fn score(
        &self,
        nli: &NliClassifier,
        network: &ModelForSequenceClassification,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<NliScored, TaskError> {
        nli.evaluate(network, split, run)
    }

    fn units(split: &Split) -> Option<Units> {
        Some(Units {
            noun: "pair",
            count: split.len(),
        })
    }

    fn figures_of<'a>(
        model: &'a NliClassifier,
        split: &'a Split,
        scored: &'a NliScored,
    ) -> Result<FiguresOf<'a>> {
        Ok(Box::new(
            |units| Ok(model.figures_of(scored, split, units)?),
        ))
    }

    fn finish(
        self,
        nli: &NliClassifier,
        split: &Split,
        scored: NliScored,
        predictions: Option<WholeFile>,
    ) -> Result<Metrics> {
        for line in confusion::table(&scored.metrics, &nli.classifier.labels).lines() {
            say!("{line}");
        }
        let records = labelled_records(&scored.predictions, split, &nli.classifier);
        write_lines(predictions, records)?;
        Ok(scored.evaluation.metrics)
    }
}
