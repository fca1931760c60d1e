use std::path::PathBuf;

use bert_weights::CheckpointError;
use thiserror::Error;

/// Why a run cannot go on from a checkpoint.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// A file or folder cannot be read.
    #[error("{}: cannot be read: {reason}", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// A file of the checkpoint is not as it was written.
    #[error("{}: damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The checkpoint is laid out as another version does it.
    #[error("{}: the checkpoint has format {found}; this version reads format {expected}", path.display())]
    Format {
        /// `state.json`.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The format that is read.
        expected: u32,
    },
    /// A file of tensors contradicts itself.
    #[error(transparent)]
    Tensors(#[from] CheckpointError),
    /// The checkpoint is of another model.
    #[error("{}: does not fit the model: {reason}", path.display())]
    OtherModel {
        /// The file of tensors.
        path: PathBuf,
        /// The first tensor that has no place, or another shape.
        reason: String,
    },
}
