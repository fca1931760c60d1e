//! `bert evaluate text-classification`

use std::path::Path;

use anyhow::Result;
use bert_tasks::Metrics;
use bert_tasks::text_classification::{Scored, Split, TextClassifier};
use bert_text::Dataset;
use clap::Args;

use super::{encode, labelled_records, open};
use crate::flags::ColumnFlags;
use crate::runner::Loaded;
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
    type Split = Split;
    type Scored = Scored;

    fn read(&self, path: &Path) -> Result<Dataset> {
        Ok(Dataset::read(path, &self.columns.options())?)
    }

    fn open(&self, directory: &Path, max_length: Option<usize>) -> Result<TextClassifier> {
        open(directory, max_length)
    }

    fn encode(&self, classifier: &TextClassifier, data: &Dataset) -> Result<Split> {
        encode(classifier, data)
    }

    fn score(
        &self,
        loaded: &Loaded<TextClassifier>,
        split: &Split,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Scored> {
        let Loaded {
            model,
            network,
            device,
            batch_size,
        } = loaded;
        Ok(model.evaluate(network, split, *batch_size, device, tick)?)
    }

    fn write(
        self,
        classifier: &TextClassifier,
        split: &Split,
        scored: &Scored,
        predictions: Option<WholeFile>,
    ) -> Result<()> {
        let records = labelled_records(&scored.predictions, split, classifier);
        write_lines(predictions, records)
    }

    fn metrics(scored: Scored) -> Metrics {
        scored.evaluation.metrics
    }
}
