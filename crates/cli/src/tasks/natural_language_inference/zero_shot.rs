//! `bert predict zero-shot`

use std::path::Path;

use anyhow::Result;
use bert_tasks::TaskError;
use bert_tasks::natural_language_inference::head::zero_shot::{
    DEFAULT_TEMPLATE, HypothesisTemplate,
};
use bert_tasks::natural_language_inference::{
    ZeroShotClassifier, ZeroShotPrediction, ZeroShotQuestion,
};
use bert_text::SequenceInput;
use burn::tensor::Device;
use clap::Args;
use serde::Serialize;

use crate::failure::WrongUsage;
use crate::results::Results;
use crate::runner::Loaded;
use crate::runner::predict::{self, Predict, PredictFlags};

/// Any labels for a text, by a model of natural-language inference that has not seen them in training. Input: a line of
/// plain text, or a JSON object with "sequence"
#[derive(Debug, Args)]
pub(crate) struct ZeroShotArgs {
    #[command(flatten)]
    flags: PredictFlags,
    #[command(flatten)]
    question: QuestionFlags,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Labels")]
struct QuestionFlags {
    /// The labels to choose from, separated by commas
    #[arg(long, value_name = "LABELS", required = true, value_delimiter = ',')]
    labels: Vec<String>,
    /// The hypothesis, with {} in the place of a label; "This example is {}.": as in transformers' pipeline
    #[arg(long, value_name = "TEXT", default_value = DEFAULT_TEMPLATE)]
    template: String,
    /// Score each label on its own, entailment against contradiction, so that any number of labels may apply; by default
    /// exactly one applies and the scores sum to 1
    #[arg(long)]
    multi_label: bool,
}

/// The record of transformers' pipeline, and the raw outputs if they were asked for.
#[derive(Serialize)]
struct Record<'a> {
    sequence: &'a str,
    labels: Vec<&'a str>,
    scores: &'a [f32],
    #[serde(skip_serializing_if = "Option::is_none")]
    logits: Option<&'a [Vec<f32>]>,
}

impl ZeroShotArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let command = Command {
            question: self.question.parse()?,
            flags: &self.flags,
        };
        predict::run(&command, &self.flags)
    }
}

impl QuestionFlags {
    fn parse(&self) -> Result<ZeroShotQuestion> {
        let labels = self.labels.iter().map(|label| label.trim());
        let labels: Vec<String> = labels
            .filter(|label| !label.is_empty())
            .map(str::to_owned)
            .collect();
        if labels.is_empty() {
            return Err(WrongUsage("--labels names no label".to_owned()).into());
        }
        let template = HypothesisTemplate::parse(&self.template)
            .map_err(|error| WrongUsage(format!("--template: {error}")))?;
        Ok(ZeroShotQuestion {
            labels,
            template,
            multi_label: self.multi_label,
        })
    }
}

struct Command<'a> {
    flags: &'a PredictFlags,
    question: ZeroShotQuestion,
}

impl Predict for Command<'_> {
    type Model = ZeroShotClassifier;
    type Loaded = Loaded<ZeroShotClassifier>;
    type Input = SequenceInput;

    fn open(
        &self,
        directory: &Path,
        max_length: Option<usize>,
    ) -> Result<ZeroShotClassifier, TaskError> {
        ZeroShotClassifier::open(directory, max_length)
    }

    fn load(&self, model: ZeroShotClassifier, device: Device) -> Result<Self::Loaded> {
        if let Some(doubt) = model.doubt() {
            say!("warning {doubt}");
        }
        self.flags.load(model, device)
    }

    fn answer(
        &self,
        loaded: &Self::Loaded,
        inputs: &[SequenceInput],
        results: &mut Results,
    ) -> Result<usize> {
        let texts: Vec<&str> = inputs.iter().map(|input| input.sequence.as_str()).collect();
        let Loaded { model, network, .. } = loaded;
        let predictions =
            model.predict(network, &texts, &self.question, loaded.run(&mut |_| {}))?;
        for (sequence, prediction) in texts.into_iter().zip(&predictions) {
            let labels = prediction.order.iter();
            results.json_line(&Record {
                sequence,
                labels: labels.map(|&id| &*self.question.labels[id]).collect(),
                scores: &prediction.scores,
                logits: self.flags.files.logits.then_some(&prediction.logits),
            })?;
        }
        let is_cut = |prediction: &&ZeroShotPrediction| prediction.is_cut;
        Ok(predictions.iter().filter(is_cut).count())
    }
}
