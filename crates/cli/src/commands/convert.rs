//! `bert convert`

use std::path::PathBuf;

use anyhow::Result;
use bert_train::prepare_output;
use bert_weights::{convert, summary};
use clap::Args;

use super::checkpoint_files::{Files, open};
use super::inspect::total_line;
use crate::model_source::ModelSource;
use crate::output_directory::OutputDirectory;
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// A name that `bert models` lists, a checkpoint directory, or one file of weights with config.json beside it
    #[arg(value_name = "NAME|DIR|FILE")]
    model: String,
    /// Directory for model.safetensors and copies of config.json and of the tokenizer's files
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Replace the files of an output directory that is not empty
    #[arg(long)]
    overwrite: bool,
    /// Use no network: a named model has to be in the cache
    #[arg(long)]
    offline: bool,
}

pub(crate) fn run(args: &ConvertArgs) -> Result<()> {
    prepare_output(&args.output, args.overwrite)?;
    let path = ModelSource::find("model", &args.model)?.directory(args.offline)?;
    let checkpoint = open(&path)?;
    let files = Files::of(checkpoint.directory())?;
    let output = OutputDirectory::claim(&args.output)?;
    convert(&checkpoint, &files.copied, &args.output)?;
    output.keep();
    say!("wrote   {}", total_line(&summary(&checkpoint)));
    files.note_left();
    let mut results = Results::new();
    results.line(&args.output.display().to_string())?;
    results.flush()
}
