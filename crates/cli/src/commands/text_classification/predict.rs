//! `bert predict text-classification`

use anyhow::Result;
use bert_text::PredictInput;
use bert_text_classification::BertForSequenceClassification;
use bert_train::text_classification::{Prediction, TextClassifier};
use burn::tensor::Device;
use clap::Args;

use super::record::Record;
use super::{load, open};
use crate::commands::answering::{Answer, Input, PredictFlags};
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    /// Add "scores", those of all labels in id order
    #[arg(long)]
    all_scores: bool,
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let flags = &args.flags;
    let input = Input::open(flags)?;
    let device = flags.runtime.open()?;
    let classifier = open(&flags.model, flags.max_length)?;
    let model = load(&classifier, &device)?;
    input.answer_all(&Predictor {
        args,
        classifier,
        model,
        device,
    })
}

struct Predictor<'a> {
    args: &'a PredictArgs,
    classifier: TextClassifier,
    model: BertForSequenceClassification,
    device: Device,
}

impl Answer for Predictor<'_> {
    type Input = PredictInput;

    fn answer(&self, inputs: &[PredictInput], results: &mut Results) -> Result<usize> {
        let texts: Vec<(&str, Option<&str>)> = inputs
            .iter()
            .map(|input| (input.text.as_str(), input.text_pair.as_deref()))
            .collect();
        let batch_size = self.args.flags.batch_size;
        let predictions =
            self.classifier
                .predict(&self.model, &texts, batch_size, &self.device, &mut |_| {})?;
        for prediction in &predictions {
            let mut record = Record::new(prediction, &self.classifier);
            if self.args.all_scores {
                record = record.with_scores(prediction);
            }
            if self.args.flags.logits {
                record = record.with_logits(prediction);
            }
            results.json_line(&record)?;
        }
        let is_cut = |prediction: &&Prediction| prediction.truncated_tokens > 0;
        Ok(predictions.iter().filter(is_cut).count())
    }

    fn max_length(&self) -> usize {
        self.classifier.pretrained.max_length
    }
}
