//! What windows do to rows that are longer than the model takes.

use std::ops::Range;

use serde::Serialize;

use super::Portion;
use crate::{Encoding, answer_tokens};

/// The windows of some rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WindowSummary {
    /// How many windows there are.
    pub windows: usize,
    /// Windows of a row, on average.
    pub mean: f64,
    /// Windows of the row that has most.
    pub max: usize,
    /// The rows that have more than one.
    pub in_several: Portion,
}

impl WindowSummary {
    /// The summary of the numbers of windows of some rows.
    pub fn of(windows: &[usize]) -> Self {
        let all: usize = windows.iter().sum();
        let in_several = windows.iter().filter(|&&count| count > 1).count();
        Self {
            windows: all,
            mean: all as f64 / windows.len().max(1) as f64,
            max: windows.iter().copied().max().unwrap_or(0),
            in_several: Portion::of(in_several, windows.len()),
        }
    }
}

/// Whether no window of a question holds all of its answer, given by its characters in the context: training then learns
/// that there is none.
pub fn is_cut_apart(windows: &[Encoding], answer: &Range<usize>) -> bool {
    windows
        .iter()
        .all(|window| answer_tokens(window, answer).is_none())
}
