//! `bert train masked-lm`

use std::path::Path;

use anyhow::Result;
use bert_report::UsedFor;
use bert_tasks::pretraining::head::{ModelForMaskedLM, ModelForPreTraining, PretrainingModel};
use bert_tasks::pretraining::{Pretraining, Split};
use bert_tasks::{HeadOrigin, TaskError};
use clap::Args;

use super::DEFAULT_MAX_LENGTH;
use super::data::{Command, MaskingFlags, Text};
use crate::runner::train::{self, FineTune, FineTuneFlags, Role, Splits};

/// Masked tokens of plain text: continued pre-training, whose encoder every other task can start from. Data: plain text
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    flags: FineTuneFlags,
    #[command(flatten)]
    masking: MaskingFlags,
}

impl TrainArgs {
    pub(crate) fn run(&self) -> Result<()> {
        if self.masking.next_sentence {
            train::run(
                &Command::<ModelForPreTraining>::new(&self.masking),
                &self.flags,
            )
        } else {
            train::run(
                &Command::<ModelForMaskedLM>::new(&self.masking),
                &self.flags,
            )
        }
    }
}

impl<M: PretrainingModel> FineTune for Command<'_, M> {
    const USED_FOR: UsedFor = UsedFor {
        task: "masked-lm",
        pipeline_tag: Some("fill-mask"),
        input_line: "A film to [MASK].",
        python: r#"from transformers import pipeline

fill = pipeline("fill-mask", model="MODEL")
print(fill("A film to " + fill.tokenizer.mask_token + "."))"#,
    };
    type Model = Pretraining<M>;
    type Data = Text;

    fn read(&self, flags: &FineTuneFlags) -> Result<Splits<Text>> {
        flags.read(|files| self.masking.read(files))
    }

    fn open(
        &self,
        flags: &FineTuneFlags,
        _data: &Splits<Text>,
        checkpoint: &Path,
    ) -> Result<(Pretraining<M>, HeadOrigin), TaskError> {
        let setup = Pretraining::for_training(
            checkpoint,
            flags.training.max_length(DEFAULT_MAX_LENGTH),
            self.masking.options(),
            flags.training.dropout(),
        )?;
        Ok((setup, HeadOrigin::New))
    }

    fn encode(&self, setup: &Pretraining<M>, text: Text, role: Role, seed: u64) -> Result<Split> {
        let split = self.masking.encode(&text, setup, seed)?;
        if role == Role::Scoring {
            setup.check_evaluation(&split)?;
        }
        Ok(split)
    }
}
