//! Standard output: results and nothing else.

use std::fmt;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};

use anyhow::{Context, Result};
use serde::Serialize;

/// The reader of our results has closed the pipe (`bert … | head`). That is no failure: the run ends.
#[derive(Debug)]
pub(crate) struct ReaderGone;

impl fmt::Display for ReaderGone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("nobody reads the results any more")
    }
}

impl std::error::Error for ReaderGone {}

/// The locked and buffered standard output.
pub(crate) struct Results(BufWriter<StdoutLock<'static>>);

impl Results {
    pub(crate) fn new() -> Self {
        Self(BufWriter::new(io::stdout().lock()))
    }

    /// One line of text.
    pub(crate) fn line(&mut self, line: &str) -> Result<()> {
        checked(writeln!(self.0, "{line}"))
    }

    /// One value as one line of JSON.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<()> {
        self.line(&serde_json::to_string(value)?)
    }

    /// One value as JSON for people.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<()> {
        self.line(&serde_json::to_string_pretty(value)?)
    }

    /// Writes out the buffer. A drop would hide the error of a result that never arrived, so every command calls this.
    pub(crate) fn flush(&mut self) -> Result<()> {
        checked(self.0.flush())
    }
}

fn checked(outcome: io::Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        outcome => outcome.context("standard output: cannot write"),
    }
}
