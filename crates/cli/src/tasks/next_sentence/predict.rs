//! `bert predict next-sentence`

use anyhow::Result;
use bert_pretraining::ModelForNextSentencePrediction;
use bert_tasks::pretraining::PairPrediction;
use bert_text::PairInput;
use burn::tensor::Device;
use clap::Args;

use super::record::Record;
use super::{Setup, open};
use crate::commands::answering::{Answer, Input, PredictFlags};
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let flags = &args.flags;
    let input = Input::open(flags)?;
    let device = flags.runtime.open()?;
    let mut setup = open(&flags.model, flags.max_length)?;
    setup.pretrained.weights = flags.weights.format();
    let (model, _) = setup.load(&device)?;
    input.answer_all(&Predictor {
        args,
        setup,
        model,
        device,
    })
}

struct Predictor<'a> {
    args: &'a PredictArgs,
    setup: Setup,
    model: ModelForNextSentencePrediction,
    device: Device,
}

impl Answer for Predictor<'_> {
    type Input = PairInput;

    fn answer(&self, inputs: &[PairInput], results: &mut Results) -> Result<usize> {
        let pairs: Vec<(&str, &str)> = inputs
            .iter()
            .map(|input| (input.text.as_str(), input.text_pair.as_str()))
            .collect();
        let flags = &self.args.flags;
        let predictions = self.setup.predict(
            &self.model,
            &pairs,
            flags.batch_size,
            &self.device,
            &mut |_| {},
        )?;
        for prediction in &predictions {
            let mut record = Record::new(prediction);
            if flags.logits {
                record = record.with_logits(prediction);
            }
            results.json_line(&record)?;
        }
        let is_cut = |prediction: &&PairPrediction| prediction.truncated_tokens > 0;
        Ok(predictions.iter().filter(is_cut).count())
    }

    fn max_length(&self) -> usize {
        self.setup.pretrained.max_length
    }
}
