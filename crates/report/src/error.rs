use std::path::PathBuf;

use thiserror::Error;

/// What can go wrong with the files of a run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A file cannot be read.
    #[error("{}: cannot read: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// A file cannot be written.
    #[error("{}: cannot write: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// A file is not what its name says.
    #[error("{}: not the file that `bert train` writes: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: serde_json::Error,
    },
    /// The path is no directory.
    #[error("{}: no such directory; name the --output of a `bert train`", path.display())]
    NoDirectory {
        /// The path.
        path: PathBuf,
    },
    /// The directory has no file that a report could show.
    #[error(
        "{}: none of {files} is there, so there is nothing to report; name the --output of a `bert train`",
        path.display()
    )]
    Nothing {
        /// The directory.
        path: PathBuf,
        /// The files that were looked for.
        files: String,
    },
}
