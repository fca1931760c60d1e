//! `bert train | evaluate | predict token-classification`

mod evaluate;
mod predict;
mod record;
mod train;
pub(crate) mod words;

pub(crate) use evaluate::{EvaluateArgs, run as evaluate};
pub(crate) use predict::{PredictArgs, run as predict};
pub(crate) use record::{AggregationWord, Record};
pub(crate) use train::{DEFAULT_MAX_LENGTH, TrainArgs, run as train};

use std::path::Path;

use anyhow::Result;
use bert_tasks::HeadOrigin;
use bert_tasks::token_classification::TokenClassifier;
use bert_token_classification::ModelForTokenClassification;
use burn::tensor::Device;

/// Opens a trained classifier, without its weights.
fn open(directory: &Path, max_length: Option<usize>) -> Result<TokenClassifier> {
    let classifier = TokenClassifier::open(directory, max_length)?;
    eprintln!(
        "model   {}: {}",
        directory.display(),
        words::model(&classifier)
    );
    Ok(classifier)
}

/// The weights of a trained classifier.
fn load(classifier: &TokenClassifier, device: &Device) -> Result<ModelForTokenClassification> {
    let (model, _) = classifier.load(HeadOrigin::Checkpoint, device)?;
    Ok(model)
}
