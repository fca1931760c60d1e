//! Text classification: `bert check | train | evaluate | predict text-classification`

mod check;
mod evaluate;
mod model;
mod predict;
mod problem_type;
mod record;
mod train;

pub(crate) use check::CheckArgs;
pub(super) use check::{CheckRowsFlags, report_rows, warn};
pub(crate) use evaluate::EvaluateArgs;
pub(super) use model::print_data;
pub(crate) use predict::PredictArgs;
pub(super) use record::{Record, labelled_records};
pub(crate) use train::TrainArgs;

use anyhow::Result;
use bert_tasks::text_classification::{Split, TextClassifier};
use bert_text::Dataset;

/// Sentences and most pairs fit, and attention costs the square of it.
const DEFAULT_MAX_LENGTH: usize = 128;

/// Tokenizes a data set and describes it on standard error.
fn encode(classifier: &TextClassifier, data: &Dataset) -> Result<Split> {
    let split = classifier.encode(data)?;
    print_data(&split, classifier);
    Ok(split)
}
