//! `bert evaluate natural-language-inference`

use std::path::Path;

use anyhow::Result;
use bert_tasks::Metrics;
use bert_tasks::natural_language_inference::{NliClassifier, NliData, NliScored};
use bert_tasks::text_classification::Split;
use bert_text::Dataset;
use clap::Args;

use super::{agreed, confusion, encode, open};
use crate::flags::ColumnFlags;
use crate::runner::Loaded;
use crate::runner::evaluate::{self, Evaluate, EvaluateFlags, write_lines};
use crate::tasks::text_classification::labelled_records;
use crate::whole_file::WholeFile;

/// Accuracy, scores of each label and the confusion table, which is shown on standard error, too
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
    type Model = NliClassifier;
    type Data = NliData;
    type Split = Split;
    type Scored = NliScored;

    fn read(&self, path: &Path) -> Result<NliData> {
        agreed(Dataset::read(path, &self.columns.options())?)
    }

    fn open(&self, directory: &Path, max_length: Option<usize>) -> Result<NliClassifier> {
        open(directory, max_length)
    }

    fn encode(&self, nli: &NliClassifier, data: &NliData) -> Result<Split> {
        encode(nli, data)
    }

    fn score(
        &self,
        loaded: &Loaded<NliClassifier>,
        split: &Split,
        tick: &mut dyn FnMut(f64),
    ) -> Result<NliScored> {
        let Loaded { model, network, .. } = loaded;
        Ok(model.evaluate(network, split, loaded.batch_size, &loaded.device, tick)?)
    }

    fn write(
        self,
        nli: &NliClassifier,
        split: &Split,
        scored: &NliScored,
        predictions: Option<WholeFile>,
    ) -> Result<()> {
        for line in confusion::table(&scored.metrics, &nli.classifier.labels).lines() {
            eprintln!("{line}");
        }
        let records = labelled_records(&scored.predictions, split, &nli.classifier);
        write_lines(predictions, records)
    }

    fn metrics(scored: NliScored) -> Metrics {
        scored.evaluation.metrics
    }
}
