//! `bert evaluate next-sentence`

use std::path::Path;

use anyhow::Result;
use bert_tasks::Metrics;
use bert_tasks::pretraining::{EVALUATION_SEED, Scored, Split};
use bert_text::Documents;
use clap::Args;

use super::record::Record;
use super::{Setup, encode, open};
use crate::runner::Loaded;
use crate::runner::evaluate::{self, Evaluate, EvaluateFlags, write_lines};
use crate::whole_file::WholeFile;

/// The share of the pairs that are told rightly
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
    type Split = Split;
    type Scored = Scored;

    fn read(&self, path: &Path) -> Result<Documents> {
        Ok(Documents::open(path)?)
    }

    fn open(&self, directory: &Path, max_length: Option<usize>) -> Result<Setup> {
        open(directory, max_length)
    }

    fn encode(&self, setup: &Setup, documents: &Documents) -> Result<Split> {
        encode(setup, documents, EVALUATION_SEED)
    }

    fn score(
        &self,
        loaded: &Loaded<Setup>,
        split: &Split,
        tick: &mut dyn FnMut(f64),
    ) -> Result<Scored> {
        let Loaded { model, network, .. } = loaded;
        Ok(model.evaluate(network, split, loaded.batch_size, &loaded.device, tick)?)
    }

    fn write(
        self,
        _setup: &Setup,
        split: &Split,
        scored: &Scored,
        predictions: Option<WholeFile>,
    ) -> Result<()> {
        let pairs = scored.pairs.iter().zip(&split.next_sentence);
        let records = pairs.map(|(pair, class)| {
            let record = Record::new(pair).with_reference(*class == 0);
            Ok(record.with_logits(pair))
        });
        write_lines(predictions, records)
    }

    fn metrics(scored: Scored) -> Metrics {
        scored.evaluation.metrics
    }
}
