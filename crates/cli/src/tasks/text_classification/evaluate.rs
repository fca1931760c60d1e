//! `bert evaluate text-classification`

use std::path::Path;

use anyhow::Result;
use bert_tasks::text_classification::head::ModelForSequenceClassification;
use bert_tasks::text_classification::{Scored, Split, TextClassifier};
use bert_tasks::{Metrics, RunOptions, TaskError};
use bert_text::Dataset;
use clap::Args;

use super::{encode, labelled_records};
use crate::flags::ColumnFlags;
use crate::runner::evaluate::{self, Evaluate, EvaluateFlags, write_lines};
use crate::whole_file::WholeFile;

/// Accuracy and F1, or Pearson and Spearman, by what the model was trained for
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    flags: EvaluateFlags,
    #[command(flatten)]
    columns: ColumnFlags,
}

impl EvaluateArgs {
    pub(crate) fn run(&self) -> Result<()> {
        evaluate::run(self, &self.flags)
    }
}

impl Evaluate for &EvaluateArgs {
    type Model = TextClassifier;
    type Data = Dataset;
    type Scored = Scored;

    fn read(&self, path: &Path) -> Result<Dataset> {
        Ok(Dataset::read(path, &self.columns.options())?)
    }

    fn open(
        &self,
        directory: &Path,
        max_length: Option<usize>,
    ) -> Result<TextClassifier, TaskError> {
        TextClassifier::open(directory, max_length)
    }

    fn encode(&self, classifier: &TextClassifier, data: &Dataset) -> Result<Split> {
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
