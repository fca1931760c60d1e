//! `bert train next-sentence`

use std::path::Path;

use anyhow::Result;
use bert_report::UsedFor;
use bert_tasks::pretraining::Split;
use bert_tasks::{HeadOrigin, TaskError};
use bert_text::{Documents, MaskingOptions};
use clap::Args;

use super::{Setup, encode};
use crate::runner::train::{self, FineTune, FineTuneFlags, Role, Splits};

/// Whether one sentence follows another. Data: plain text, one sentence a line, with blank lines between documents
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    flags: FineTuneFlags,
}

/// Most pairs of sentences fit, and attention costs the square of it.
const DEFAULT_MAX_LENGTH: usize = 128;

impl TrainArgs {
    pub(crate) fn run(&self) -> Result<()> {
        train::run(self, &self.flags)
    }
}

impl FineTune for TrainArgs {
    const USED_FOR: UsedFor = UsedFor {
        task: "next-sentence",
        pipeline_tag: None,
        input_line: r#"{"text": "She opened the door.", "text_pair": "Nobody was there."}"#,
        python: r#"from transformers import AutoModelForNextSentencePrediction, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("MODEL")
model = AutoModelForNextSentencePrediction.from_pretrained("MODEL")
inputs = tokenizer("She opened the door.", "Nobody was there.", return_tensors="pt")
print(model(**inputs).logits.softmax(-1))"#,
    };
    type Model = Setup;
    type Data = Documents;

    fn read(&self, flags: &FineTuneFlags) -> Result<Splits<Documents>> {
        flags.read(|files| Ok(Documents::open_files(files)?))
    }

    fn open(
        &self,
        flags: &FineTuneFlags,
        _data: &Splits<Documents>,
        checkpoint: &Path,
    ) -> Result<(Setup, HeadOrigin), TaskError> {
        let setup = Setup::for_training(
            checkpoint,
            flags.training.max_length(DEFAULT_MAX_LENGTH),
            MaskingOptions::default(),
            flags.training.dropout(),
        )?;
        Ok((setup, HeadOrigin::New))
    }

    fn encode(&self, setup: &Setup, data: Documents, _role: Role, seed: u64) -> Result<Split> {
        encode(setup, &data, seed)
    }
}
