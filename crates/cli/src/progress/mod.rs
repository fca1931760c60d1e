//! Progress on standard error: a bar on a terminal, plain lines elsewhere.

mod fetching;
mod share;
mod smoothed;
mod training;

pub(crate) use fetching::FetchProgress;
pub(crate) use share::{Counter, ShareBar};
pub(crate) use training::TrainingProgress;

use std::io::IsTerminal;
use std::time::Duration;

/// Without a terminal a line is printed so long after the last one, however slow the work is.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

fn on_terminal() -> bool {
    std::io::stderr().is_terminal()
}
