//! `bert merge`

use std::path::PathBuf;

use anyhow::Result;
use bert_tasks::adapters::write_merged;
use bert_train::prepare_output;
use clap::Args;

use crate::describe;
use crate::flags::RuntimeFlags;
use crate::model_source::ModelSource;
use crate::output_directory::OutputDirectory;
use crate::results::Results;
use crate::runner::print_unknown_tensors;

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Directory of a LoRA or DoRA adapter, by `bert train --tune lora` or by PEFT, or one of the hub
    #[arg(value_name = "DIR|NAME")]
    adapter: String,
    /// Directory for the checkpoint
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Replace the files of an output directory that is not empty
    #[arg(long)]
    overwrite: bool,
    /// Use no network: the adapter and its base model have to be on this machine
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    runtime: RuntimeFlags,
}

pub(crate) fn run(args: &MergeArgs) -> Result<()> {
    prepare_output(&args.output, args.overwrite)?;
    let directory = ModelSource::find("adapter", &args.adapter)?.directory(args.offline)?;
    let device = args.runtime.open()?;
    let output = OutputDirectory::claim(&args.output)?;
    let report = write_merged(&directory, &args.output, &device)?;
    output.keep();
    say!("load    {}", describe::load(&report));
    print_unknown_tensors(&report);
    let mut results = Results::new();
    results.line(&args.output.display().to_string())?;
    results.flush()
}
