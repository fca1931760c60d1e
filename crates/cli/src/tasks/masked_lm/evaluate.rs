//! `bert evaluate masked-lm`

use anyhow::Result;
use bert_pretraining::{ModelForMaskedLM, ModelForPreTraining, PretrainingModel};
use bert_tasks::pretraining::{EVALUATION_SEED, Pretraining, TokenPrediction};
use clap::Args;
use serde::Serialize;

use super::data::MaskingFlags;
use crate::commands::scoring::{EvaluateFlags, print_metrics, write_predictions};
use crate::describe;
use crate::progress::ShareBar;

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    flags: EvaluateFlags,
    #[command(flatten)]
    masking: MaskingFlags,
}

/// What was predicted for one masked token.
#[derive(Debug, Serialize)]
struct Record {
    /// The row it is in, counted from 0.
    row: usize,
    /// Where it is in the row, `[CLS]` being 0.
    position: usize,
    token_str: String,
    /// The true token.
    reference: String,
}

pub(crate) fn run(args: &EvaluateArgs) -> Result<()> {
    if args.masking.next_sentence {
        evaluate::<ModelForPreTraining>(args)
    } else {
        evaluate::<ModelForMaskedLM>(args)
    }
}

fn evaluate<M: PretrainingModel>(args: &EvaluateArgs) -> Result<()> {
    let EvaluateArgs { flags, masking } = args;
    let predictions = flags.begin_predictions()?;
    let text = masking.read(&flags.data)?;
    let device = flags.runtime.open()?;
    let mut setup = Pretraining::<M>::open(&flags.model, flags.max_length, masking.options())?;
    setup.pretrained.weights = flags.weights.format();
    let outputs = describe::pretraining_outputs::<M>();
    eprintln!(
        "model   {}: {}",
        flags.model.display(),
        describe::model(&setup.pretrained, outputs)
    );
    let split = masking.encode(&text, &setup, EVALUATION_SEED)?;
    let (model, _) = setup.load(&device)?;
    let bar = ShareBar::new("evaluating");
    let mut tick = |share| bar.set(share);
    let scored = setup.evaluate(&model, &split, flags.batch_size, &device, &mut tick)?;
    drop(bar);
    let token_str = |id| setup.pretrained.tokenizer.decode(&[id], false);
    let record = |one: &TokenPrediction| {
        Ok(Record {
            row: one.row,
            position: one.position,
            token_str: token_str(one.token)?,
            reference: token_str(one.reference)?,
        })
    };
    let records: Vec<Record> = match predictions {
        Some(_) => scored.tokens.iter().map(record).collect::<Result<_>>()?,
        None => Vec::new(),
    };
    write_predictions(predictions, records.into_iter())?;
    print_metrics(&scored.evaluation.metrics)
}
