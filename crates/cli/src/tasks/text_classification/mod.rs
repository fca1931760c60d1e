//! `bert train | evaluate | predict text-classification`

mod evaluate;
mod predict;
mod record;
mod train;
pub(crate) mod words;

pub(crate) use evaluate::{EvaluateArgs, run as evaluate};
pub(crate) use predict::{PredictArgs, run as predict};
pub(crate) use record::Record;
pub(crate) use train::{DEFAULT_MAX_LENGTH, TrainArgs, run as train};

use std::path::Path;

use anyhow::Result;
use bert_tasks::text_classification::TextClassifier;

/// Opens a trained classifier, without its weights.
fn open(directory: &Path, max_length: Option<usize>) -> Result<TextClassifier> {
    let classifier = TextClassifier::open(directory, max_length)?;
    eprintln!(
        "model   {}: {}",
        directory.display(),
        words::model(&classifier)
    );
    Ok(classifier)
}
