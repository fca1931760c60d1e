//! `bert train | evaluate | predict question-answering`

mod evaluate;
mod flags;
mod predict;
mod record;
mod train;
mod words;

pub(crate) use evaluate::{EvaluateArgs, run as evaluate};
pub(crate) use predict::{PredictArgs, run as predict};
pub(crate) use train::{TrainArgs, run as train};

use std::path::Path;

use anyhow::Result;
use bert_question_answering::ModelForQuestionAnswering;
use bert_tasks::HeadOrigin;
use bert_tasks::question_answering::QuestionAnswerer;
use burn::tensor::Device;

/// Windows of this many tokens are those of BERT's paper.
pub(crate) const DEFAULT_MAX_LENGTH: usize = 384;

/// Opens a trained model, without its weights.
fn open(
    directory: &Path,
    max_length: Option<usize>,
    stride: Option<usize>,
) -> Result<QuestionAnswerer> {
    let max_length = max_length.unwrap_or(DEFAULT_MAX_LENGTH);
    let answerer = QuestionAnswerer::open(directory, max_length, stride)?;
    eprintln!(
        "model   {}: {}",
        directory.display(),
        words::model(&answerer)
    );
    Ok(answerer)
}

/// The weights of a trained model.
fn load(answerer: &QuestionAnswerer, device: &Device) -> Result<ModelForQuestionAnswering> {
    let (model, _) = answerer.load(HeadOrigin::Checkpoint, device)?;
    Ok(model)
}
