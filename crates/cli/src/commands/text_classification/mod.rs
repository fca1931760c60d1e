//! `bert train | evaluate | predict text-classification`

mod evaluate;
mod predict;
mod record;
mod train;
mod words;

pub(crate) use evaluate::{EvaluateArgs, run as evaluate};
pub(crate) use predict::{PredictArgs, run as predict};
pub(crate) use train::{TrainArgs, run as train};

use std::path::Path;

use anyhow::Result;
use bert_text_classification::BertForSequenceClassification;
use bert_train::HeadOrigin;
use bert_train::text_classification::TextClassifier;
use burn::tensor::Device;

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

/// The weights of a trained classifier.
fn load(classifier: &TextClassifier, device: &Device) -> Result<BertForSequenceClassification> {
    let (model, _) = classifier.load(HeadOrigin::Checkpoint, device)?;
    Ok(model)
}
