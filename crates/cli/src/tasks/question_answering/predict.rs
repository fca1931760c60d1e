//! `bert predict question-answering`

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Result;
use bert_tasks::TaskError;
use bert_tasks::question_answering::QuestionAnswerer;
use bert_text::{Contexts, QuestionInput};
use burn::tensor::Device;
use clap::Args;

use super::flags::SpanFlags;
use super::open;
use super::record::Record;
use crate::failure::with_causes;
use crate::flags::at_least_one;
use crate::results::Results;
use crate::runner::Loaded;
use crate::runner::predict::{self, Predict, PredictFlags, Refused};

/// The piece of a context that answers a question, with its score and place in characters. Input: a JSON object with
/// "question" and "context", a string or a list of strings to search together
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    #[command(flatten)]
    spans: SpanFlags,
    /// Add "answers", the best K of all candidates, at most --n-best
    #[arg(long, value_name = "K", value_parser = at_least_one, help_heading = "Answers")]
    top_k: Option<NonZeroUsize>,
}

impl PredictArgs {
    pub(crate) fn run(&self) -> Result<()> {
        predict::run(self, &self.flags)
    }
}

impl Predict for PredictArgs {
    type Model = QuestionAnswerer;
    type Loaded = Loaded<QuestionAnswerer>;
    type Input = QuestionInput;

    fn open(
        &self,
        directory: &Path,
        max_length: Option<usize>,
    ) -> Result<QuestionAnswerer, TaskError> {
        open(directory, max_length, self.spans.stride)
    }

    fn load(&self, model: QuestionAnswerer, device: Device) -> Result<Self::Loaded> {
        self.flags.load(model, device)
    }

    /// What comes before a question that is too long is answered.
    fn answer(
        &self,
        loaded: &Self::Loaded,
        inputs: &[QuestionInput],
        results: &mut Results,
    ) -> Result<usize> {
        let Loaded { model, network, .. } = loaded;
        let mut questions = Vec::with_capacity(inputs.len());
        let mut refused = None;
        for input in inputs {
            match model.windows_of(input) {
                Ok(windows) => questions.push((input, windows)),
                Err(error) => {
                    refused = Some(Refused {
                        answered: questions.len(),
                        cut: 0,
                        reason: with_causes(&error.into()),
                    });
                    break;
                }
            }
        }
        let predictions = model.predict(
            network,
            questions,
            &self.spans.prediction(),
            loaded.run(&mut |_| {}),
        )?;
        for (input, prediction) in inputs.iter().zip(&predictions) {
            let several = matches!(input.context, Contexts::Several(_));
            let mut record = Record::new(prediction, several);
            if let Some(top_k) = self.top_k {
                record = record.with_answers(prediction, top_k.get(), several);
            }
            if self.flags.files.logits {
                record = record.with_logits(prediction);
            }
            results.json_line(&record)?;
        }
        match refused {
            None => Ok(0),
            Some(refused) => Err(refused.into()),
        }
    }
}
