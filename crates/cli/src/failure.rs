//! How a run that failed ends: one message on standard error and an exit code.

use std::fmt;
use std::process::ExitCode;

use crate::processes;
use crate::results::ReaderGone;

const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;

/// Options that no run can have. The exit code is that of options that clap refuses.
#[derive(Debug)]
pub(crate) struct WrongUsage(pub(crate) String);

impl fmt::Display for WrongUsage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for WrongUsage {}

/// A run that a signal stopped. That is no failure, but scripts learn of it by the exit code.
#[derive(Debug)]
pub(crate) struct Interrupted {
    /// What to tell the user.
    pub(crate) message: String,
    /// 128 and the number of the signal.
    pub(crate) exit_code: u8,
}

impl fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Interrupted {}

/// A run that has ended with a message already.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) exit_code: u8,
}

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the run has ended")
    }
}

impl std::error::Error for Told {}

/// Why a command line does not become a run: it is wrong, or it asks for help only.
pub(crate) enum ParseFailure {
    /// The command line itself.
    CommandLine(clap::Error),
    /// The `--config` file.
    ConfigFile(anyhow::Error),
}

impl ParseFailure {
    /// Prints it, help to standard output, and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::CommandLine(error) => {
                if !processes::is_silent() {
                    // Nobody is left to tell when the terminal itself is gone.
                    let _ = error.print();
                }
                match error.exit_code() {
                    0 => ExitCode::SUCCESS,
                    _ => ExitCode::from(WRONG_USAGE),
                }
            }
            Self::ConfigFile(error) => report(&error),
        }
    }
}

/// Prints an error with its causes and gives the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(tell(error))
}

/// As [`report`], with the exit code as a number.
pub(crate) fn tell(error: &anyhow::Error) -> u8 {
    if processes::is_silent() || error.is::<ReaderGone>() || error.is::<Told>() {
        return exit_code(error);
    }
    match error.downcast_ref() {
        Some(Interrupted { message, .. }) => say!("stopped {message}"),
        None => say!("error: {}", with_causes(error)),
    }
    exit_code(error)
}

/// The exit code of a run that ends like this.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(Interrupted { exit_code, .. }) = error.downcast_ref() {
        return *exit_code;
    }
    if let Some(Told { exit_code }) = error.downcast_ref() {
        return *exit_code;
    }
    if error.is::<ReaderGone>() {
        0
    } else if error.is::<WrongUsage>() {
        WRONG_USAGE
    } else {
        FAILED
    }
}

/// The message and its causes, without a cause that the message quotes.
pub(crate) fn with_causes(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |message, cause| {
        let cause = cause.to_string();
        if message.is_empty() {
            cause
        } else if message.contains(&cause) {
            message
        } else {
            format!("{message}: {cause}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn every_cause_is_told_once() {
        let root = std::io::Error::other("disk full");
        let error = Err::<(), _>(root)
            .context("cannot write: disk full")
            .context("the run failed")
            .unwrap_err();
        assert_eq!(
            with_causes(&error),
            "the run failed: cannot write: disk full"
        );
    }
}
