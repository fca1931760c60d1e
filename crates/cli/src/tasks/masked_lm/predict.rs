//! `bert predict masked-lm`

use std::num::NonZeroUsize;

use anyhow::{Result, bail};
use bert_pretraining::ModelForMaskedLM;
use bert_tasks::pretraining::{FilledMask, FilledText, Pretraining};
use bert_text::{Encoding, MaskingOptions, PredictInput};
use burn::tensor::Device;
use clap::Args;
use serde::Serialize;

use crate::commands::answering::{Answer, Input, PredictFlags};
use crate::describe;
use crate::flags::at_least_one;
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    flags: PredictFlags,
    /// Proposals for each mask; 5: as many as transformers' fill-mask pipeline makes
    #[arg(long, value_name = "N", default_value = "5", value_parser = at_least_one)]
    top_k: NonZeroUsize,
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let flags = &args.flags;
    let input = Input::open(flags)?;
    let device = flags.runtime.open()?;
    let mut setup = Pretraining::<ModelForMaskedLM>::open(
        &flags.model,
        flags.max_length,
        MaskingOptions::default(),
    )?;
    setup.pretrained.weights = flags.weights.format();
    let outputs = describe::pretraining_outputs::<ModelForMaskedLM>();
    eprintln!(
        "model   {}: {}",
        flags.model.display(),
        describe::model(&setup.pretrained, outputs)
    );
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
    setup: Pretraining<ModelForMaskedLM>,
    model: ModelForMaskedLM,
    device: Device,
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

impl Answer for Predictor<'_> {
    type Input = PredictInput;

    /// What comes before a text without mask is answered.
    fn answer(&self, inputs: &[PredictInput], results: &mut Results) -> Result<usize> {
        let texts: Vec<(&str, Option<&str>)> = inputs
            .iter()
            .map(|input| (input.text.as_str(), input.text_pair.as_deref()))
            .collect();
        let encodings = self.setup.encode_masked(&texts)?;
        let has_mask = |encoding: &Encoding| self.setup.mask_count(encoding) > 0;
        let good = encodings.iter().take_while(|one| has_mask(one)).count();
        let flags = &self.args.flags;
        let filled = self.setup.fill_mask(
            &self.model,
            &encodings[..good],
            self.args.top_k,
            flags.batch_size,
            &self.device,
            &mut |_| {},
        )?;
        for text in &filled {
            results.json_line(&Record::new(text, flags.logits))?;
        }
        if let Some((text, _)) = texts.get(good) {
            results.flush()?;
            let start: String = text.chars().take(40).collect();
            let cut = encodings[good].truncated_tokens > 0;
            let cut = if cut { " that is left of it" } else { "" };
            bail!(
                "the text starting with {start:?}: no mask token in what{cut}; write [MASK] where a word is to be found"
            );
        }
        let is_cut = |encoding: &&Encoding| encoding.truncated_tokens > 0;
        Ok(encodings.iter().filter(is_cut).count())
    }

    fn max_length(&self) -> usize {
        self.setup.pretrained.max_length
    }
}
