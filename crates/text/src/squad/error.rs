//! What can go wrong with a SQuAD file.

use std::path::PathBuf;

use super::ArticleRange;
use crate::ReadError;

/// A SQuAD file that cannot be used. The underlying cause, where there is one, is the error's `source` and not repeated in
/// the message.
#[derive(Debug, thiserror::Error)]
pub enum SquadError {
    /// The file cannot be read, or is not UTF-8.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// JSON that is broken, or that is not SQuAD's.
    #[error(
        "{path}{place}: not SQuAD's JSON; expected data → title, paragraphs → context, qas → id, question, answers → text, \
         answer_start",
        path = .path.display()
    )]
    Json {
        /// The file.
        path: PathBuf,
        /// Where in the JSON, with the title of the article and the id of the question, if that far; starts with a comma.
        place: String,
        /// Where and why parsing stopped.
        source: serde_json::Error,
    },
    /// A row that is not one of the hub's SQuAD.
    #[error(
        "{path}, line {line}: not a question with \"id\", \"context\", \"question\" and \"answers\", which has the lists \
         \"text\" and \"answer_start\"",
        path = .path.display()
    )]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, or the row of Parquet and Arrow.
        line: usize,
        /// What is missing or of another kind.
        source: serde_json::Error,
    },
    /// Two questions of one name.
    #[error(
        "{path}: two questions have the id {id:?}; predictions are written by id, so every question needs its own",
        path = .path.display()
    )]
    DuplicateId {
        /// The file.
        path: PathBuf,
        /// The id.
        id: String,
    },
    /// Not a single question.
    #[error("{path}: holds no questions; expected at least one", path = .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Articles were asked for that the file does not have.
    #[error(
        "{path}: no articles {range}; the file has {articles}, counted from 0",
        path = .path.display()
    )]
    Articles {
        /// The file.
        path: PathBuf,
        /// The articles asked for.
        range: ArticleRange,
        /// How many there are.
        articles: usize,
    },
}
