use std::path::PathBuf;

use crate::{ReadError, TokenizerError};

/// A plain text that cannot be training data.
#[derive(Debug, thiserror::Error)]
pub enum PlainTextError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its text cannot be tokenized.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// Nothing but blank lines and characters that a tokenizer leaves out.
    #[error("{path}: holds no text; expected lines of plain text in UTF-8", path = .path.display())]
    NoText {
        /// The file.
        path: PathBuf,
    },
    /// There is no other document to draw a random second sentence from.
    #[error(
        "{path}: is one document, but next sentence prediction needs two at least; part documents by a blank line",
        path = .path.display()
    )]
    OneDocument {
        /// The file.
        path: PathBuf,
    },
    /// No document has a sentence that another one follows.
    #[error(
        "{path}: no sentence is followed by another one of its document; write one sentence a line, and part documents \
         by a blank line",
        path = .path.display()
    )]
    NoPairs {
        /// The file.
        path: PathBuf,
    },
}
