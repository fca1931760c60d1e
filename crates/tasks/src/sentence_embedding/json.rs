//! The JSON files of a directory of sentence-transformers.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use bert_json::JsonError;
use serde::de::DeserializeOwned;

use crate::TaskError;

/// A JSON file, or `None` where there is no such file.
///
/// # Errors
///
/// The file cannot be read, or is not of the expected form; the message names the key.
pub(super) fn read_optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, TaskError> {
    let metadata = fs::metadata(path);
    if metadata.is_ok_and(|metadata| !metadata.is_file()) {
        return Err(wrong(path, "is no regular file"));
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(path, format!("cannot be read: {error}"))),
    };
    let value = bert_json::from_slice_unique(path, &bytes).map_err(|error| {
        let JsonError {
            line,
            column,
            key,
            reason,
            ..
        } = error;
        let key = match key.as_str() {
            "." => String::new(),
            key => format!("key `{key}`: "),
        };
        wrong(path, format!("line {line}, column {column}: {key}{reason}"))
    })?;
    Ok(Some(value))
}

/// A JSON file that has to be there.
///
/// # Errors
///
/// As [`read_optional`], or there is no such file.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, TaskError> {
    read_optional(path)?
        .ok_or_else(|| wrong(path, "no such file, but modules.json names its folder"))
}

/// An error about a file.
pub(super) fn wrong(path: &Path, reason: impl Into<String>) -> TaskError {
    TaskError::Checkpoint {
        path: path.to_owned(),
        reason: reason.into(),
    }
}
