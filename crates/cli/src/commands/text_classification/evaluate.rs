//! `bert evaluate text-classification`

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Result;
use bert_text::Dataset;
use bert_train::text_classification::{EVALUATION_BATCH_SIZE, Scored, Split, TextClassifier};
use clap::Args;

use super::record::Record;
use super::{describe, load, open, score};
use crate::flags::{ColumnFlags, RuntimeFlags, at_least_one, whole_number};
use crate::results::Results;
use crate::whole_file::WholeFile;

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Directory of a trained classifier, of ours or of transformers
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Labelled data: TSV, CSV or JSON Lines
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Also write one JSON object a row, in the order of the data: label, score, reference, logits; the file appears
    /// when it is complete
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Longest sequence in tokens; by default the longest that the model takes, so that nothing is cut without need
    /// (for the figures of a training run give its --max-length)
    #[arg(long, value_name = "TOKENS", value_parser = whole_number)]
    max_length: Option<usize>,
    /// Rows of one forward pass; 64: larger ones are no faster on a CPU; the figures do not depend on it
    #[arg(long, value_name = "N", default_value_t = EVALUATION_BATCH_SIZE, value_parser = at_least_one)]
    batch_size: NonZeroUsize,
    #[command(flatten)]
    columns: ColumnFlags,
    #[command(flatten)]
    runtime: RuntimeFlags,
}

pub(crate) fn run(args: &EvaluateArgs) -> Result<()> {
    let predictions = args
        .predictions
        .as_deref()
        .map(WholeFile::begin)
        .transpose()?;
    let data = Dataset::read(&args.data, &args.columns.options())?;
    let device = args.runtime.open()?;
    let classifier = open(&args.model, args.max_length)?;
    let split = classifier.encode(&data)?;
    eprintln!("data    {}", describe::data(&split, &classifier));
    let model = load(&classifier, &device)?;
    let scored = score(&classifier, &model, &split, args.batch_size, &device)?;
    if let Some(file) = predictions {
        write(file, &scored, &split, &classifier)?;
    }
    let mut results = Results::new();
    results.json(&scored.evaluation.metrics)?;
    results.flush()
}

fn write(
    mut file: WholeFile,
    scored: &Scored,
    split: &Split,
    classifier: &TextClassifier,
) -> Result<()> {
    for (row, prediction) in scored.predictions.iter().enumerate() {
        let record = Record::new(prediction, classifier)
            .with_reference(&split.targets, row, classifier)
            .with_logits(prediction);
        file.json_line(&record)?;
    }
    file.commit()
}
