//! `bert evaluate text-classification`

use anyhow::Result;
use bert_tasks::HeadOrigin;
use bert_text::Dataset;
use clap::Args;

use super::record::Record;
use super::{open, words};
use crate::commands::scoring::{EvaluateFlags, print_metrics, write_predictions};
use crate::flags::ColumnFlags;
use crate::progress::ShareBar;

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    flags: EvaluateFlags,
    #[command(flatten)]
    columns: ColumnFlags,
}

pub(crate) fn run(args: &EvaluateArgs) -> Result<()> {
    let flags = &args.flags;
    let predictions = flags.begin_predictions()?;
    let data = Dataset::read(&flags.data, &args.columns.options())?;
    let device = flags.runtime.open()?;
    let mut classifier = open(&flags.model, flags.max_length)?;
    classifier.pretrained.weights = flags.weights.format();
    let split = classifier.encode(&data)?;
    eprintln!("data    {}", words::data(&split, &classifier));
    let (model, _) = classifier.load(HeadOrigin::Checkpoint, &device)?;
    let bar = ShareBar::new("evaluating");
    let mut tick = |share| bar.set(share);
    let scored = classifier.evaluate(&model, &split, flags.batch_size, &device, &mut tick)?;
    drop(bar);
    let records = scored
        .predictions
        .iter()
        .enumerate()
        .map(|(row, prediction)| {
            Record::new(prediction, &classifier)
                .with_reference(&split.targets, row, &classifier)
                .with_logits(prediction)
        });
    write_predictions(predictions, records)?;
    print_metrics(&scored.evaluation.metrics)
}
