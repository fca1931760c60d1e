//! `bert evaluate masked-lm`

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_tasks::pretraining::head::{ModelForMaskedLM, ModelForPreTraining, PretrainingModel};
use bert_tasks::pretraining::{EVALUATION_SEED, Pretraining, Scored, Split};
use bert_tasks::{Metrics, RunOptions, TaskError};
use clap::Args;
use serde::Serialize;

use super::data::{Command, MaskingFlags, Text};
use crate::runner::evaluate::{self, Evaluate, EvaluateFlags, write_lines};
use crate::whole_file::WholeFile;

/// Perplexity, and the accuracy on masked tokens; every evaluation masks the same tokens
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    flags: EvaluateFlags,
    #[command(flatten)]
    masking: MaskingFlags,
}

/// What was predicted for one masked token.
#[derive(Debug, Serialize)]
struct Record {
    /// The row it is in, counted from 0.
    row: usize,
    /// Where it is in the row, `[CLS]` being 0.
    position: usize,
    token_str: String,
    /// The true token.
    reference: String,
}

impl EvaluateArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let (flags, masking) = (&self.flags, &self.masking);
        if masking.next_sentence {
            evaluate::run(Command::<ModelForPreTraining>::new(masking), flags)
        } else {
            evaluate::run(Command::<ModelForMaskedLM>::new(masking), flags)
        }
    }
}

impl<M: PretrainingModel> Evaluate for Command<'_, M> {
    type Model = Pretraining<M>;
    type Data = Text;
    type Scored = Scored;

    fn read(&self, files: &[PathBuf]) -> Result<Text> {
        self.masking.read(files)
    }

    fn open(
        &self,
        directory: &Path,
        max_length: Option<usize>,
    ) -> Result<Pretraining<M>, TaskError> {
        Pretraining::open(directory, max_length, self.masking.options())
    }

    fn encode(&self, setup: &Pretraining<M>, text: &Text) -> Result<Split> {
        self.masking.encode(text, setup, EVALUATION_SEED)
    }

    fn score(
        &self,
        setup: &Pretraining<M>,
        network: &M,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Scored, TaskError> {
        setup.evaluate(network, split, run)
    }

    fn finish(
        self,
        setup: &Pretraining<M>,
        _split: &Split,
        scored: Scored,
        predictions: Option<WholeFile>,
    ) -> Result<Metrics> {
        let token_str = |id| setup.pretrained.tokenizer.decode(&[id], false);
        let records = scored.tokens.iter().map(|one| {
            Ok(Record {
                row: one.row,
                position: one.position,
                token_str: token_str(one.token)?,
                reference: token_str(one.reference)?,
            })
        });
        write_lines(predictions, records)?;
        Ok(scored.evaluation.metrics)
    }
}
