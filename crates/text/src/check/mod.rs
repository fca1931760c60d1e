//! What can be said about data before anyone trains on it: plain functions over texts, labels and encodings, for any task.
//!
//! | function | what it finds |
//! |---|---|
//! | [`duplicates_between`], [`repeats`] | rows that training and evaluation share, rows that come twice |
//! | [`label_counts`] | class balance, and labels seen once |
//! | [`lookalikes`] | labels that people take for one |
//! | [`LengthSummary::of`] | how long the rows are, with a histogram |
//! | [`faulty_answers`] | answers of questions that are not where the file says |
//! | [`WindowSummary::of`], [`is_cut_apart`] | windows of long rows, and answers that no window holds |
//! | [`vanished_words`] | words that have no token |
//! | [`CutSummary::of`] | how much is cut off at the maximum length |
//! | [`UnknownSummary::of`], [`UnknownSummary::of_pieces`] | how many tokens the vocabulary does not know |

mod answers;
mod duplicates;
mod labels;
mod lengths;
mod lookalikes;
mod tokens;
mod windows;

pub use answers::{AnswerFault, FaultyAnswer, faulty_answers};
pub use duplicates::{RowPair, duplicates_between, repeats};
pub use labels::{LabelCount, label_counts};
pub use lengths::{LengthBucket, LengthSummary};
pub use lookalikes::lookalikes;
pub use tokens::{CutSummary, UnknownSummary, vanished_words};
pub use windows::{WindowSummary, is_cut_apart};

use serde::Serialize;

/// Some of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Portion {
    /// How many.
    pub rows: usize,
    /// Their share of all.
    pub share: f64,
}

impl Portion {
    /// `rows` of `all`.
    pub fn of(rows: usize, all: usize) -> Self {
        Self {
            rows,
            share: share(rows, all),
        }
    }
}

/// `part / whole`, 0 of nothing.
fn share(part: usize, whole: usize) -> f64 {
    match whole {
        0 => 0.0,
        whole => part as f64 / whole as f64,
    }
}
