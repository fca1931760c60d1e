//! Token classification: `bert check | train | evaluate | predict token-classification`

mod check;
mod evaluate;
mod files;
mod model;
mod predict;
mod record;
mod train;

pub(crate) use check::CheckArgs;
pub(crate) use evaluate::EvaluateArgs;
pub(crate) use predict::PredictArgs;
pub(super) use record::{AggregationWord, Record};
pub(crate) use train::TrainArgs;

use anyhow::Result;
use bert_tasks::token_classification::{Split, TokenClassifier};
use bert_text::TaggedDataset;

/// Sentences fit, and attention costs the square of it; longer ones are cut into windows.
const DEFAULT_MAX_LENGTH: usize = 128;

/// Tokenizes a data set and describes it on standard error.
fn encode(classifier: &TokenClassifier, data: &TaggedDataset) -> Result<Split> {
    let split = classifier.encode(data)?;
    say!("data    {}", model::data(&split, classifier));
    Ok(split)
}
