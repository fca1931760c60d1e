//! `bert predict zero-shot`

use anyhow::Result;
use bert_nli::ModelForSequenceClassification;
use bert_nli::zero_shot::{DEFAULT_TEMPLATE, HypothesisTemplate};
use bert_tasks::HeadOrigin;
use bert_tasks::natural_language_inference::{
    ZeroShotClassifier, ZeroShotPrediction, ZeroShotQuestion,
};
use bert_text::SequenceInput;
use burn::tensor::Device;
use clap::Args;
use serde::Serialize;

use crate::commands::answering::{Answer, Input, PredictFlags};
use crate::commands::text_classification::words;
use crate::failure::WrongUsage;
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct ZeroShotArgs {
    #[command(flatten)]
    flags: PredictFlags,
    /// The labels to choose from, apart by commas
    #[arg(long, value_name = "LABELS", required = true, value_delimiter = ',')]
    labels: Vec<String>,
    /// The hypothesis that each label becomes, with {} in its place; This example is {}.: as in transformers' pipeline
    #[arg(long, value_name = "TEXT", default_value = DEFAULT_TEMPLATE)]
    template: String,
    /// Any number of labels may apply: each is scored alone, entailment against contradiction; by default exactly one
    /// applies and the scores sum to 1
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

pub(crate) fn run(args: &ZeroShotArgs) -> Result<()> {
    let flags = &args.flags;
    let question = args.question()?;
    let input = Input::open(flags)?;
    let device = flags.runtime.open()?;
    let mut zero_shot = ZeroShotClassifier::open(&flags.model, flags.max_length)?;
    zero_shot.classifier.pretrained.weights = flags.weights.format();
    let classifier = &zero_shot.classifier;
    eprintln!(
        "model   {}: {}",
        flags.model.display(),
        words::model(classifier)
    );
    if let Some(doubt) = zero_shot.doubt() {
        eprintln!("warning {doubt}");
    }
    let (model, _) = classifier.load(HeadOrigin::Checkpoint, &device)?;
    input.answer_all(&Predictor {
        args,
        question,
        zero_shot,
        model,
        device,
    })
}

impl ZeroShotArgs {
    fn question(&self) -> Result<ZeroShotQuestion> {
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

struct Predictor<'a> {
    args: &'a ZeroShotArgs,
    question: ZeroShotQuestion,
    zero_shot: ZeroShotClassifier,
    model: ModelForSequenceClassification,
    device: Device,
}

impl Answer for Predictor<'_> {
    type Input = SequenceInput;

    fn answer(&self, inputs: &[SequenceInput], results: &mut Results) -> Result<usize> {
        let texts: Vec<&str> = inputs.iter().map(|input| input.sequence.as_str()).collect();
        let flags = &self.args.flags;
        let predictions = self.zero_shot.predict(
            &self.model,
            &texts,
            &self.question,
            flags.batch_size,
            &self.device,
            &mut |_| {},
        )?;
        let labels = &self.question.labels;
        for (sequence, prediction) in texts.into_iter().zip(&predictions) {
            results.json_line(&Record {
                sequence,
                labels: prediction
                    .order
                    .iter()
                    .map(|&id| labels[id].as_str())
                    .collect(),
                scores: &prediction.scores,
                logits: flags.logits.then_some(&prediction.logits),
            })?;
        }
        let is_cut = |prediction: &&ZeroShotPrediction| prediction.is_cut;
        Ok(predictions.iter().filter(is_cut).count())
    }

    fn max_length(&self) -> usize {
        self.zero_shot.classifier.pretrained.max_length
    }
}
