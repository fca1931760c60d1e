//! `bert predict question-answering`

use std::num::NonZeroUsize;

use anyhow::Result;
use bert_question_answering::ModelForQuestionAnswering;
use bert_tasks::question_answering::QuestionAnswerer;
use bert_text::{Contexts, QuestionInput};
use burn::tensor::Device;
use clap::Args;

use super::flags::SpanFlags;
use super::record::Record;
use super::{load, open};
use crate::commands::answering::{Answer, Input, PredictFlags};
use crate::flags::at_least_one;
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    #[command(flatten)]
    spans: SpanFlags,
    /// Add "answers", the best K of all candidates, at most --n-best
    #[arg(long, value_name = "K", value_parser = at_least_one)]
    top_k: Option<NonZeroUsize>,
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let flags = &args.flags;
    let input = Input::open(flags)?;
    let device = flags.runtime.open()?;
    let mut answerer = open(&flags.model, flags.max_length, args.spans.stride)?;
    answerer.pretrained.weights = flags.weights.format();
    let model = load(&answerer, &device)?;
    input.answer_all(&Predictor {
        args,
        answerer,
        model,
        device,
    })
}

struct Predictor<'a> {
    args: &'a PredictArgs,
    answerer: QuestionAnswerer,
    model: ModelForQuestionAnswering,
    device: Device,
}

impl Answer for Predictor<'_> {
    type Input = QuestionInput;

    /// What comes before a question that is too long is answered.
    fn answer(&self, inputs: &[QuestionInput], results: &mut Results) -> Result<usize> {
        let mut questions = Vec::with_capacity(inputs.len());
        let mut refused = None;
        for input in inputs {
            match self.answerer.windows_of(input) {
                Ok(windows) => questions.push((input, windows)),
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        let predictions = self.answerer.predict(
            &self.model,
            questions,
            &self.args.spans.prediction(),
            self.args.flags.batch_size,
            &self.device,
            &mut |_| {},
        )?;
        for (input, prediction) in inputs.iter().zip(&predictions) {
            let several = matches!(input.context, Contexts::Several(_));
            let mut record = Record::new(prediction, several);
            if let Some(top_k) = self.args.top_k {
                record = record.with_answers(prediction, top_k.get(), several);
            }
            if self.args.flags.logits {
                record = record.with_logits(prediction);
            }
            results.json_line(&record)?;
        }
        match refused {
            None => Ok(0),
            Some(error) => {
                results.flush()?;
                Err(error.into())
            }
        }
    }

    fn max_length(&self) -> usize {
        self.answerer.pretrained.max_length
    }
}
