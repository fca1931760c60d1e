//! `bert predict text-classification`

use anyhow::Result;
use bert_tasks::heads::TextReader;
use bert_text::PredictInput;
use clap::Args;

use super::open;
use crate::commands::answering::{Input, PredictFlags};
use crate::commands::heads::{HeadFlags, Predictors};

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    #[command(flatten)]
    heads: HeadFlags,
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let flags = &args.flags;
    let input = Input::<PredictInput>::open(flags)?;
    let device = flags.runtime.open()?;
    let mut classifier = open(&flags.model, flags.max_length)?;
    classifier.pretrained.weights = flags.weights.format();
    Predictors::load(TextReader::Text(classifier), flags, &args.heads, device)?.answer_all(input)
}
