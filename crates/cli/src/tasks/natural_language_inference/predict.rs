//! `bert predict natural-language-inference`

use anyhow::Result;
use bert_tasks::heads::TextReader;
use bert_tasks::natural_language_inference::NliClassifier;
use bert_text::InferenceInput;
use clap::Args;

use crate::runner::predict::PredictFlags;
use crate::tasks::heads::{self, HeadFlags};

/// Whether a hypothesis follows from a premise. Input: a JSON object with "premise" and "hypothesis" (or "text" and
/// "text_pair") a line
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    #[command(flatten)]
    heads: HeadFlags,
}

impl PredictArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let reader = |nli: NliClassifier| TextReader::Text(nli.classifier);
        heads::predict::<_, InferenceInput>(&self.flags, &self.heads, &NliClassifier::open, reader)
    }
}
