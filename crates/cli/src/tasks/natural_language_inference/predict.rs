//! `bert predict natural-language-inference`

use anyhow::Result;
use bert_tasks::heads::TextReader;
use bert_tasks::natural_language_inference::NliClassifier;
use bert_tasks::text_classification::ClassifierOptions;
use bert_text::InferenceInput;
use clap::Args;

use crate::flags::LongTextFlags;
use crate::runner::predict::PredictFlags;
use crate::tasks::heads::{self, HeadFlags};

/// Whether a hypothesis follows from a premise. Input: a JSON object with "premise" and "hypothesis" (or "text" and
/// "text_pair") a line
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    #[command(flatten)]
    long_text: LongTextFlags,
    #[command(flatten)]
    heads: HeadFlags,
}

impl PredictArgs {
    pub(crate) fn run(&self) -> Result<()> {
        self.long_text.check()?;
        let reader = |nli: NliClassifier| TextReader::Text(nli.classifier);
        let long_text = self.long_text.long_text();
        heads::predict::<_, InferenceInput>(
            &self.flags,
            &self.heads,
            &move |directory, max_length| {
                let options = ClassifierOptions {
                    max_length,
                    long_text,
                    ..ClassifierOptions::default()
                };
                NliClassifier::open_with(directory, options)
            },
            reader,
        )
    }
}
