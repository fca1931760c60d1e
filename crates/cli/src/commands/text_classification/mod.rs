//! `bert train | evaluate | predict text-classification`

mod describe;
mod evaluate;
mod predict;
mod record;
mod train;

pub(crate) use evaluate::{EvaluateArgs, run as evaluate};
pub(crate) use predict::{PredictArgs, run as predict};
pub(crate) use train::{TrainArgs, run as train};

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Result;
use bert_text_classification::BertForSequenceClassification;
use bert_train::text_classification::{HeadOrigin, Scored, Split, TextClassifier};
use burn::tensor::Device;

use crate::progress::ShareBar;

/// Opens a trained classifier, without its weights.
fn open(directory: &Path, max_length: Option<usize>) -> Result<TextClassifier> {
    let classifier = TextClassifier::open(directory, max_length)?;
    eprintln!(
        "model   {}: {}",
        directory.display(),
        describe::model(&classifier)
    );
    Ok(classifier)
}

/// The weights of a trained classifier.
fn load(classifier: &TextClassifier, device: &Device) -> Result<BertForSequenceClassification> {
    let (model, _) = classifier.load(HeadOrigin::Checkpoint, device)?;
    Ok(model)
}

/// Scores a model under a progress bar.
fn score(
    classifier: &TextClassifier,
    model: &BertForSequenceClassification,
    split: &Split,
    batch_size: NonZeroUsize,
    device: &Device,
) -> Result<Scored> {
    let bar = ShareBar::new("evaluating");
    let mut tick = |share| bar.set(share);
    Ok(classifier.evaluate(model, split, batch_size, device, &mut tick)?)
}
