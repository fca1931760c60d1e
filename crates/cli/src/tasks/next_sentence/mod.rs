//! Next-sentence prediction: `bert train | evaluate | predict next-sentence`

mod evaluate;
mod predict;
mod record;
mod train;

pub(crate) use evaluate::EvaluateArgs;
pub(crate) use predict::PredictArgs;
pub(crate) use train::TrainArgs;

use anyhow::Result;
use bert_tasks::pretraining::head::ModelForNextSentencePrediction;
use bert_tasks::pretraining::{Pretraining, Split};
use bert_text::Documents;

use super::pretraining::{pairs, print_data};

type Setup = Pretraining<ModelForNextSentencePrediction>;

/// Draws and tokenizes the pairs, and describes them on standard error.
fn encode(setup: &Setup, documents: &Documents, seed: u64) -> Result<Split> {
    let split = setup.encode_pairs(documents, seed)?;
    print_data(&split, &pairs(documents, &split), setup);
    Ok(split)
}
