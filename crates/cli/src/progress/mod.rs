//! Progress on standard error: a bar on a terminal, plain lines elsewhere.

mod fetching;
mod share;
mod smoothed;
mod training;

pub(crate) use fetching::FetchProgress;
pub(crate) use share::{Counter, ShareBar};
pub(crate) use training::TrainingProgress;

use std::io::IsTerminal;

fn on_terminal() -> bool {
    std::io::stderr().is_terminal()
}
