//! The commands that belong to no task, and the dispatch of all commands.

pub(crate) mod bench;
pub(crate) mod convert;
pub(crate) mod embed;
pub(crate) mod fetch;
pub(crate) mod inspect;
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
        Command::Check(task) => task.run(),
        Command::Train(task) => task.run(),
        Command::Evaluate(task) => task.run(),
        Command::Predict(task) => task.run(),
        Command::Embed(args) => args.run(),
        Command::Report(args) => args.run(),
        Command::Bench(work) => work.run(),
    }
}
