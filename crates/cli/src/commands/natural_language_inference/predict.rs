//! `bert predict natural-language-inference`

use anyhow::Result;
use bert_text::InferenceInput;
use clap::Args;

use super::open;
use crate::commands::answering::{Answer, Input, PredictFlags};
use crate::commands::text_classification::{HeadFlags, Predictors};
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
    let nli = open(&flags.model, flags.max_length)?;
    let predictors = Predictors::load(nli.classifier, flags, &args.heads, device)?;
    input.answer_all(&Pairs(predictors))
}

struct Pairs(Predictors);

impl Answer for Pairs {
    type Input = InferenceInput;

    fn answer(&self, inputs: &[InferenceInput], results: &mut Results) -> Result<usize> {
        let pairs: Vec<(&str, Option<&str>)> = inputs
            .iter()
            .map(|input| (input.premise.as_str(), Some(input.hypothesis.as_str())))
            .collect();
        self.0.answer(&pairs, results)
    }

    fn max_length(&self) -> usize {
        self.0.max_length()
    }
}
