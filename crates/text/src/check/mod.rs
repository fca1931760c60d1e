//! What can be said about data before anyone trains on it: plain functions over texts, labels and encodings, for any task.
//!
//! | function | what it finds |
//! |---|---|
//! | [`duplicates_between`], [`repeats`] | rows that training and evaluation share, rows that come twice |
//! | [`label_counts`] | class balance, and labels seen once |
//! | [`LengthSummary::of`] | how long the rows are, with a histogram |
//! | [`CutSummary::of`] | how much is cut off at the maximum length |
//! | [`UnknownSummary::of`] | how many tokens the vocabulary does not know |

mod duplicates;
mod labels;
mod lengths;
mod tokens;

pub use duplicates::{RowPair, duplicates_between, repeats};
pub use labels::{LabelCount, label_counts};
pub use lengths::{LengthBucket, LengthSummary};
pub use tokens::{CutSummary, UnknownSummary};

/// `part / whole`, 0 of nothing.
fn share(part: usize, whole: usize) -> f64 {
    match whole {
        0 => 0.0,
        whole => part as f64 / whole as f64,
    }
}
