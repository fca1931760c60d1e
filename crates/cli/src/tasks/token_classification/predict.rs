//! `bert predict token-classification`

use anyhow::Result;
use bert_tasks::heads::TextReader;
use bert_tasks::token_classification::TokenClassifier;
use bert_text::TokensInput;
use clap::Args;

use crate::runner::predict::PredictFlags;
use crate::tasks::heads::{self, HeadFlags};

/// The entities of each text, with scores and places in characters. Input: a line of plain text, or a JSON object with
/// "text" or with "tokens", a list of words (places then refer to the words joined by single spaces)
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    #[command(flatten)]
    heads: HeadFlags,
}

impl PredictArgs {
    pub(crate) fn run(&self) -> Result<()> {
        heads::predict::<_, TokensInput>(
            &self.flags,
            &self.heads,
            &TokenClassifier::open,
            TextReader::Tokens,
        )
    }
}
