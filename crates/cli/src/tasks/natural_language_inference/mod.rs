//! Natural-language inference: `bert check | train | evaluate | predict natural-language-inference`, and `bert predict
//! zero-shot`

mod check;
mod confusion;
mod evaluate;
mod model;
mod predict;
mod train;
mod zero_shot;

pub(crate) use check::CheckArgs;
pub(crate) use evaluate::EvaluateArgs;
pub(crate) use predict::PredictArgs;
pub(crate) use train::TrainArgs;
pub(crate) use zero_shot::ZeroShotArgs;

use anyhow::Result;
use bert_tasks::natural_language_inference::{NliClassifier, NliData};
use bert_tasks::text_classification::Split;
use bert_text::Dataset;

use super::text_classification::print_data;
use crate::format::counted;

/// Tokenizes a data set and describes it on standard error.
fn encode(nli: &NliClassifier, data: &NliData) -> Result<Split> {
    let split = nli.encode(data)?;
    print_data(&split, &nli.classifier);
    Ok(split)
}

/// Finds out what each label means, and reports the rows that the annotators did not agree on.
fn agreed(dataset: Dataset) -> Result<NliData> {
    let data = NliData::new(dataset)?;
    if data.without_agreement > 0 {
        say!(
            "note    {}: {} left out: the label \"-\" or \"-1\" means that the annotators did not agree",
            data.dataset.path.display(),
            counted(data.without_agreement, "row")
        );
    }
    Ok(data)
}
