//! `bert evaluate token-classification`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{load, open, words};
use crate::commands::scoring::{EvaluateFlags, print_metrics, write_predictions};
use crate::flags::TagFileFlags;
use crate::progress::ShareBar;

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    flags: EvaluateFlags,
    /// Predict the best sequence of tags without a malformed entity (no I- after O), not the best tag of each word
    #[arg(long)]
    constrained: bool,
    #[command(flatten)]
    files: TagFileFlags,
}

/// A sentence as seqeval takes it.
#[derive(Debug, Serialize)]
struct Record<'a> {
    tokens: &'a [String],
    /// The references.
    labels: Vec<&'a str>,
    predictions: Vec<&'a str>,
}

pub(crate) fn run(args: &EvaluateArgs) -> Result<()> {
    let flags = &args.flags;
    let predictions = flags.begin_predictions()?;
    let data = args.files.read(&flags.data)?;
    let device = flags.runtime.open()?;
    let mut classifier = open(&flags.model, flags.max_length)?;
    classifier.pretrained.weights = flags.weights.format();
    let split = classifier.encode(&data)?;
    eprintln!("data    {}", words::data(&split, &classifier));
    let model = load(&classifier, &device)?;
    let bar = ShareBar::new("evaluating");
    let mut tick = |share| bar.set(share);
    let scored = classifier.evaluate(
        &model,
        &split,
        flags.batch_size,
        args.constrained,
        &device,
        &mut tick,
    )?;
    drop(bar);
    let names = classifier.labels.names();
    let tags = |ids: &[usize]| ids.iter().map(|&id| names[id].as_str()).collect();
    let records = split
        .sentences
        .iter()
        .zip(&scored.predictions)
        .map(|(sentence, predicted)| Record {
            tokens: &sentence.words,
            labels: tags(&sentence.labels),
            predictions: tags(predicted),
        });
    write_predictions(predictions, records)?;
    print_metrics(&scored.evaluation.metrics)
}
