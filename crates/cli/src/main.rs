//! The `bert` command: fetch, inspect, train, evaluate, predict, measure and check itself.
//!
//! Results go to standard output and nothing else does; messages and progress go to standard error. The exit code is 0
//! for success, 1 for a run that failed, and 2 for a command line (or `--config` file) that no run can follow.
//!
//! This crate does *not* compute anything: it turns arguments into calls of the libraries, and prints their results. The one exception is
//! `bert bench`, which multiplies matrices to measure how fast the machine is.
//!
//! [`tasks`] has a folder for each downstream task, [`runner`] what the tasks do alike, [`commands`] what belongs to no task.

#![warn(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "`say!` and `Results` do not panic where nobody reads"
)]

// First, for its macro.
#[macro_use]
mod messages;

mod cli;
mod commands;
mod config_file;
mod data_source;
mod describe;
mod failure;
mod findings;
mod flags;
mod format;
mod model_source;
mod output_directory;
mod processes;
mod progress;
mod results;
mod runner;
mod stop_signals;
mod table;
mod tasks;
mod whole_file;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before the first big buffer is allocated.
    bert_device::keep_allocator_memory();
    match config_file::parse(std::env::args_os().collect()).map(commands::run) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => failure::report(&error),
        Err(failure) => failure.report(),
    }
}
