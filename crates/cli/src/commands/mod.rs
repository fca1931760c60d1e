//! The commands that belong to no task, and the dispatch of all commands.

pub(crate) mod bench;
mod checkpoint_files;
pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod doctor;
pub(crate) mod embed;
pub(crate) mod export;
pub(crate) mod fetch;
pub(crate) mod inspect;
pub(crate) mod merge;
pub(crate) mod models;
pub(crate) mod report;

use anyhow::Result;

use crate::cli::{Cli, Command};

/// Runs a parsed command line.
pub(crate) fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Models(args) => models::run(&args),
        Command::Fetch(args) => fetch::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Export(args) => args.run(),
        Command::Merge(args) => merge::run(&args),
        Command::Check(task) => task.run(),
        Command::Train(task) => task.run(),
        Command::Evaluate(task) => task.run(),
        Command::Predict(task) => task.run(),
        Command::Compare(args) => args.run(),
        Command::Embed(args) => args.run(),
        Command::Report(args) => args.run(),
        Command::Bench(work) => work.run(),
        Command::Doctor(args) => args.run(),
    }
}
