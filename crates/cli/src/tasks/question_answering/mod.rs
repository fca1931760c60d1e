//! Question answering: `bert check | train | evaluate | predict question-answering`

mod check;
mod evaluate;
mod flags;
mod model;
mod predict;
mod record;
mod train;

pub(crate) use check::CheckArgs;
pub(crate) use evaluate::EvaluateArgs;
pub(crate) use predict::PredictArgs;
pub(crate) use train::TrainArgs;

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_tasks::question_answering::{QuestionAnswerer, Split};
use bert_tasks::{MaxLength, TaskError};
use bert_text::{ArticleRange, SquadDataset};

/// Windows of this many tokens are those of BERT's paper.
const DEFAULT_MAX_LENGTH: usize = 384;

/// Opens a trained model, without its weights.
fn open(
    directory: &Path,
    max_length: Option<usize>,
    stride: Option<usize>,
) -> Result<QuestionAnswerer, TaskError> {
    let max_length = MaxLength::or_at_most(max_length, DEFAULT_MAX_LENGTH);
    QuestionAnswerer::open(directory, max_length, stride)
}

/// Reads some articles of some files, and of these the first questions; by default all.
fn read(
    files: &[PathBuf],
    articles: Option<ArticleRange>,
    limit: Option<usize>,
) -> Result<SquadDataset> {
    let mut data = SquadDataset::read_files(files)?;
    if let Some(articles) = articles {
        data.select_articles(articles)?;
    }
    data.truncate(limit.unwrap_or(usize::MAX));
    Ok(data)
}

/// Tokenizes a data set and describes it on standard error.
fn encode(answerer: &QuestionAnswerer, data: &SquadDataset) -> Result<Split> {
    let split = answerer.encode(data)?;
    say!("data    {}", model::data(&split));
    Ok(split)
}
