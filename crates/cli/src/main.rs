//! The `bert` command: fetch, inspect, train, evaluate, predict and measure.
//!
//! Results go to standard output and nothing else does; messages and progress go to standard error. The exit code is 0
//! for success, 1 for a run that failed, and 2 for a command line (or `--config` file) that asks for the impossible.
//!
//! This crate does *not* compute anything: it turns words into calls of the libraries, and their results into lines. The one
//! exception is `bert bench`, which multiplies matrices to see how fast the machine can.
//!
//! A downstream task is one folder under `commands` and one arm in each of the task enums of [`cli`].

mod cli;
mod commands;
mod config_file;
mod describe;
mod failure;
mod flags;
mod format;
mod model_source;
mod output_directory;
mod progress;
mod results;
mod runner;

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
