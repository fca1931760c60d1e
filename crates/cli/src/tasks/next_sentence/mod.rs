//! `bert train | evaluate | predict next-sentence`

mod evaluate;
mod predict;
mod record;
mod train;

pub(crate) use evaluate::{EvaluateArgs, run as evaluate};
pub(crate) use predict::{PredictArgs, run as predict};
pub(crate) use train::{TrainArgs, run as train};

use std::path::Path;

use anyhow::Result;
use bert_pretraining::ModelForNextSentencePrediction;
use bert_tasks::pretraining::{Pretraining, Split};
use bert_text::{Documents, MaskingOptions};

use crate::describe;
use crate::format::counted;

type Setup = Pretraining<ModelForNextSentencePrediction>;

/// Opens a trained model, without its weights.
fn open(directory: &Path, max_length: Option<usize>) -> Result<Setup> {
    let setup = Setup::open(directory, max_length, MaskingOptions::default())?;
    eprintln!("model   {}: {}", directory.display(), model(&setup));
    Ok(setup)
}

/// Layers, width, and what the head says.
fn model(setup: &Setup) -> String {
    let outputs = describe::pretraining_outputs::<ModelForNextSentencePrediction>();
    describe::model(&setup.pretrained, outputs)
}

/// Draws and tokenizes the pairs, and says what there is.
fn encode(documents: &Documents, setup: &Setup, seed: u64) -> Result<Split> {
    let split = setup.encode_pairs(documents, seed)?;
    let line = describe::data(
        &split.path,
        &counted(split.len(), "row"),
        &describe::pairs(documents, &split),
        split.truncated,
        setup.pretrained.max_length,
    );
    eprintln!("data    {line}");
    Ok(split)
}
