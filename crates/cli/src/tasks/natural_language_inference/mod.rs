//! `bert train | evaluate | predict natural-language-inference` and `bert predict zero-shot`

mod confusion;
mod evaluate;
mod predict;
mod train;
mod zero_shot;

pub(crate) use evaluate::{EvaluateArgs, run as evaluate};
pub(crate) use predict::{PredictArgs, run as predict};
pub(crate) use train::{TrainArgs, run as train};
pub(crate) use zero_shot::{ZeroShotArgs, run as zero_shot};

use std::path::Path;

use anyhow::Result;
use bert_tasks::natural_language_inference::{NliClassifier, NliData};
use bert_text::Dataset;

use crate::commands::text_classification::words;
use crate::format::counted;

/// Opens a trained classifier, without its weights.
fn open(directory: &Path, max_length: Option<usize>) -> Result<NliClassifier> {
    let nli = NliClassifier::open(directory, max_length)?;
    eprintln!(
        "model   {}: {}",
        directory.display(),
        words::model(&nli.classifier)
    );
    Ok(nli)
}

/// Finds the roles of the labels, and says how many rows have none.
pub(crate) fn agreed(dataset: Dataset) -> Result<NliData> {
    let data = NliData::new(dataset)?;
    if data.without_agreement > 0 {
        eprintln!(
            "note    {}: {} left out, where the label is \"-\" because nobody agreed on one",
            data.dataset.path.display(),
            counted(data.without_agreement, "row")
        );
    }
    Ok(data)
}
