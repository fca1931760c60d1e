//! `bert predict next-sentence`

use std::path::Path;

use anyhow::Result;
use bert_tasks::TaskError;
use bert_tasks::pretraining::PairPrediction;
use bert_text::{MaskingOptions, PairInput};
use burn::tensor::Device;
use clap::Args;

use super::Setup;
use super::record::Record;
use crate::results::Results;
use crate::runner::Loaded;
use crate::runner::predict::{self, Predict, PredictFlags};

/// Whether the second text follows the first. Input: a JSON object with "text" and "text_pair"
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
}

impl PredictArgs {
    pub(crate) fn run(&self) -> Result<()> {
        predict::run(self, &self.flags)
    }
}

impl Predict for PredictArgs {
    type Model = Setup;
    type Loaded = Loaded<Setup>;
    type Input = PairInput;

    fn open(&self, directory: &Path, max_length: Option<usize>) -> Result<Setup, TaskError> {
        Setup::open(directory, max_length, MaskingOptions::default())
    }

    fn load(&self, setup: Setup, device: Device) -> Result<Loaded<Setup>> {
        self.flags.load(setup, device)
    }

    fn answer(
        &self,
        loaded: &Loaded<Setup>,
        inputs: &[PairInput],
        results: &mut Results,
    ) -> Result<usize> {
        let pairs: Vec<(&str, &str)> = inputs
            .iter()
            .map(|input| (input.text.as_str(), input.text_pair.as_str()))
            .collect();
        let Loaded { model, network, .. } = loaded;
        let predictions = model.predict(network, &pairs, loaded.run(&mut |_| {}))?;
        for prediction in &predictions {
            let mut record = Record::new(prediction);
            if self.flags.files.logits {
                record = record.with_logits(prediction);
            }
            results.json_line(&record)?;
        }
        let is_cut = |prediction: &&PairPrediction| prediction.truncated_tokens > 0;
        Ok(predictions.iter().filter(is_cut).count())
    }
}
