//! `bert evaluate next-sentence`

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_tasks::pretraining::head::ModelForNextSentencePrediction;
use bert_tasks::pretraining::{EVALUATION_SEED, Scored, Split};
use bert_tasks::{Metrics, RunOptions, TaskError};
use bert_text::{Documents, MaskingOptions};
use clap::Args;

use super::record::Record;
use super::{Setup, encode};
use crate::runner::evaluate::{self, Evaluate, EvaluateFlags, write_lines};
use crate::whole_file::WholeFile;

/// Accuracy on pairs of sentences, about half of them in sequence and half at random
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    flags: EvaluateFlags,
}

impl EvaluateArgs {
    pub(crate) fn run(&self) -> Result<()> {
        evaluate::run(self, &self.flags)
    }
}

impl Evaluate for &EvaluateArgs {
    type Model = Setup;
    type Data = Documents;
    type Scored = Scored;

    fn read(&self, files: &[PathBuf]) -> Result<Documents> {
        Ok(Documents::open_files(files)?)
    }

    fn open(&self, directory: &Path, max_length: Option<usize>) -> Result<Setup, TaskError> {
        Setup::open(directory, max_length, MaskingOptions::default())
    }

    fn encode(&self, setup: &Setup, documents: &Documents) -> Result<Split> {
        encode(setup, documents, EVALUATION_SEED)
    }

    fn score(
        &self,
        setup: &Setup,
        network: &ModelForNextSentencePrediction,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Scored, TaskError> {
        setup.evaluate(network, split, run)
    }

    fn finish(
        self,
        _setup: &Setup,
        split: &Split,
        scored: Scored,
        predictions: Option<WholeFile>,
    ) -> Result<Metrics> {
        let pairs = scored.pairs.iter().zip(&split.next_sentence);
        let records = pairs.map(|(pair, class)| {
            let record = Record::new(pair).with_reference(*class == 0);
            Ok(record.with_logits(pair))
        });
        write_lines(predictions, records)?;
        Ok(scored.evaluation.metrics)
    }
}
