//! `bert predict text-classification`

use anyhow::Result;
use bert_tasks::heads::TextReader;
use bert_tasks::text_classification::{Activation, ClassifierOptions, TextClassifier};
use bert_text::PredictInput;
use clap::{Args, ValueEnum};

use crate::flags::LongTextFlags;
use crate::runner::predict::PredictFlags;
use crate::tasks::heads::{self, HeadFlags};

/// The label of each text or pair of texts, with its score. Input: a line of plain text, or a JSON object with "text" and
/// optionally "text_pair"
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    #[command(flatten)]
    long_text: LongTextFlags,
    #[command(flatten)]
    heads: HeadFlags,
    /// What makes scores of the model's outputs. Without it, as in transformers' pipeline: the sigmoid for several labels at
    /// once and for one label, nothing for a regression, else the softmax. A cross-encoder of one label may name its function
    /// in config.json
    #[arg(
        long,
        value_enum,
        value_name = "FUNCTION",
        help_heading = "Predictions"
    )]
    activation: Option<ActivationWord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ActivationWord {
    /// Each score is in [0, 1] on its own
    Sigmoid,
    /// The scores of a text add up to 1
    Softmax,
    /// The scores are the raw outputs
    None,
}

impl From<ActivationWord> for Activation {
    fn from(word: ActivationWord) -> Self {
        match word {
            ActivationWord::Sigmoid => Self::Sigmoid,
            ActivationWord::Softmax => Self::Softmax,
            ActivationWord::None => Self::None,
        }
    }
}

impl PredictArgs {
    pub(crate) fn run(&self) -> Result<()> {
        self.long_text.check()?;
        let activation = self.activation.map(Activation::from);
        let long_text = self.long_text.long_text();
        heads::predict::<_, PredictInput>(
            &self.flags,
            &self.heads,
            &move |directory, max_length| {
                let options = ClassifierOptions {
                    max_length,
                    activation,
                    long_text,
                };
                TextClassifier::open_with(directory, options)
            },
            TextReader::Text,
        )
    }
}
