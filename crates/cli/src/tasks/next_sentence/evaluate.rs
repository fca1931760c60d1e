//! `bert evaluate next-sentence`

use anyhow::Result;
use bert_tasks::pretraining::EVALUATION_SEED;
use bert_text::Documents;
use clap::Args;

use super::record::Record;
use super::{encode, open};
use crate::commands::scoring::{EvaluateFlags, print_metrics, write_predictions};
use crate::progress::ShareBar;

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    flags: EvaluateFlags,
}

pub(crate) fn run(args: &EvaluateArgs) -> Result<()> {
    let flags = &args.flags;
    let predictions = flags.begin_predictions()?;
    let documents = Documents::open(&flags.data)?;
    let device = flags.runtime.open()?;
    let mut setup = open(&flags.model, flags.max_length)?;
    setup.pretrained.weights = flags.weights.format();
    let split = encode(&documents, &setup, EVALUATION_SEED)?;
    let (model, _) = setup.load(&device)?;
    let bar = ShareBar::new("evaluating");
    let mut tick = |share| bar.set(share);
    let scored = setup.evaluate(&model, &split, flags.batch_size, &device, &mut tick)?;
    drop(bar);
    let pairs = scored.pairs.iter().zip(&split.next_sentence);
    let records = pairs.map(|(pair, class)| {
        Record::new(pair)
            .with_reference(*class == 0)
            .with_logits(pair)
    });
    write_predictions(predictions, records)?;
    print_metrics(&scored.evaluation.metrics)
}
