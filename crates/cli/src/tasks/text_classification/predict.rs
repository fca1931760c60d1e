//! `bert predict text-classification`

use anyhow::Result;
use bert_tasks::heads::TextReader;
use bert_tasks::text_classification::TextClassifier;
use bert_text::PredictInput;
use clap::Args;

use crate::runner::predict::PredictFlags;
use crate::tasks::heads::{self, HeadFlags};

/// The label of each text or pair of texts, with its score. Input: a line of plain text, or a JSON object with "text" and
/// optionally "text_pair"
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    #[command(flatten)]
    heads: HeadFlags,
}

impl PredictArgs {
    pub(crate) fn run(&self) -> Result<()> {
        heads::predict::<_, PredictInput>(
            &self.flags,
            &self.heads,
            TextClassifier::open,
            TextReader::Text,
        )
    }
}
