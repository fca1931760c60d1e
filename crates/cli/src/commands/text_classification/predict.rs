//! `bert predict text-classification`

use anyhow::Result;
use bert_text::PredictInput;
use clap::Args;

use super::heads::{HeadFlags, Predictors};
use super::open;
use crate::commands::answering::{Answer, Input, PredictFlags};
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    #[command(flatten)]
    heads: HeadFlags,
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let flags = &args.flags;
    let input = Input::open(flags)?;
    let device = flags.runtime.open()?;
    let classifier = open(&flags.model, flags.max_length)?;
    let predictors = Predictors::load(classifier, flags, &args.heads, device)?;
    input.answer_all(&Texts(predictors))
}

struct Texts(Predictors);

impl Answer for Texts {
    type Input = PredictInput;

    fn answer(&self, inputs: &[PredictInput], results: &mut Results) -> Result<usize> {
        let texts: Vec<(&str, Option<&str>)> = inputs
            .iter()
            .map(|input| (input.text.as_str(), input.text_pair.as_deref()))
            .collect();
        self.0.answer(&texts, results)
    }

    fn max_length(&self) -> usize {
        self.0.max_length()
    }
}
