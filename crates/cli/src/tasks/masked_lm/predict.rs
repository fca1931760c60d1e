//! `bert predict masked-lm`

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Result;
use bert_tasks::TaskError;
use bert_tasks::pretraining::head::ModelForMaskedLM;
use bert_tasks::pretraining::{FilledMask, FilledText, Pretraining};
use bert_text::{Encoding, MaskingOptions, PredictInput};
use burn::tensor::Device;
use clap::Args;
use serde::Serialize;

use crate::flags::at_least_one;
use crate::results::Results;
use crate::runner::Loaded;
use crate::runner::predict::{self, Predict, PredictFlags, Refused};

/// The most probable tokens in the place of each `[MASK]`. Input: a line of plain text, or a JSON object with "text" and
/// optionally "text_pair"
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    /// Tokens for each mask; 5: as many as transformers' fill-mask pipeline gives
    #[arg(long, value_name = "N", default_value = "5", value_parser = at_least_one, help_heading = "Predictions")]
    top_k: NonZeroUsize,
}

type Setup = Pretraining<ModelForMaskedLM>;

impl PredictArgs {
    pub(crate) fn run(&self) -> Result<()> {
        predict::run(self, &self.flags)
    }
}

/// The answer to one text.
#[derive(Debug, Serialize)]
struct Record<'a> {
    predictions: Predictions<'a>,
    /// Of each mask, all tokens in id order.
    #[serde(skip_serializing_if = "Option::is_none")]
    logits: Option<&'a [Vec<f32>]>,
}

/// As transformers' pipeline has it: a list for one mask, a list of lists for several.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Predictions<'a> {
    OneMask(&'a [FilledMask]),
    SeveralMasks(&'a [Vec<FilledMask>]),
}

impl<'a> Record<'a> {
    fn new(filled: &'a FilledText, with_logits: bool) -> Self {
        Self {
            predictions: match filled.masks.as_slice() {
                [proposals] => Predictions::OneMask(proposals),
                several => Predictions::SeveralMasks(several),
            },
            logits: with_logits.then_some(filled.logits.as_slice()),
        }
    }
}

impl Predict for PredictArgs {
    type Model = Setup;
    type Loaded = Loaded<Setup>;
    type Input = PredictInput;

    fn open(&self, directory: &Path, max_length: Option<usize>) -> Result<Setup, TaskError> {
        Setup::open(directory, max_length, MaskingOptions::default())
    }

    fn load(&self, setup: Setup, device: Device) -> Result<Loaded<Setup>> {
        self.flags.load(setup, device)
    }

    /// Answers the texts before one that has no mask token.
    fn answer(
        &self,
        loaded: &Loaded<Setup>,
        inputs: &[PredictInput],
        results: &mut Results,
    ) -> Result<usize> {
        let Loaded { model, network, .. } = loaded;
        let texts: Vec<(&str, Option<&str>)> = inputs
            .iter()
            .map(|input| (input.text.as_str(), input.text_pair.as_deref()))
            .collect();
        let encodings = model.encode_masked(&texts)?;
        let has_mask = |encoding: &Encoding| model.mask_count(encoding) > 0;
        let good = encodings.iter().take_while(|one| has_mask(one)).count();
        let filled = model.fill_mask(
            network,
            &encodings[..good],
            self.top_k,
            loaded.run(&mut |_| {}),
        )?;
        for text in &filled {
            results.json_line(&Record::new(text, self.flags.files.logits))?;
        }
        let is_cut = |encoding: &&Encoding| encoding.truncated_tokens > 0;
        let cut_texts = encodings[..good].iter().filter(is_cut).count();
        if let Some((text, _)) = texts.get(good) {
            let start: String = text.chars().take(40).collect();
            let cut = encodings[good].truncated_tokens > 0;
            let cut = if cut { " after truncation" } else { "" };
            return Err(Refused {
                answered: good,
                cut: cut_texts,
                reason: format!(
                    "the text starting with {start:?}: it has no mask token{cut}; write [MASK] where the model is to predict a \
                     token"
                ),
            }
            .into());
        }
        Ok(cut_texts)
    }
}
