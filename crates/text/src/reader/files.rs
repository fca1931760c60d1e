//! Files named by patterns.

use std::path::{Path, PathBuf};

use super::ReadError;

/// The files that some words name, in their order: a word with `*`, `?` or `[…]` names all files that match it, sorted, unless
/// a file of that very name is there. `**` stands for any number of folders.
///
/// # Errors
/// A pattern that no file matches, that is malformed, or that leads to a folder that cannot be read.
pub fn matching_files(words: &[PathBuf]) -> Result<Vec<PathBuf>, ReadError> {
    let mut files = Vec::with_capacity(words.len());
    for word in words {
        match pattern(word) {
            Some(pattern) if !word.exists() => files.extend(matches(pattern)?),
            _ => files.push(word.clone()),
        }
    }
    Ok(files)
}

fn pattern(word: &Path) -> Option<&str> {
    word.to_str().filter(|word| word.contains(['*', '?', '[']))
}

fn matches(pattern: &str) -> Result<Vec<PathBuf>, ReadError> {
    let unmatched = |reason: String| ReadError::NoFile {
        pattern: pattern.to_owned(),
        reason,
    };
    let paths = glob::glob(pattern).map_err(|error| unmatched(error.to_string()))?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| unmatched(error.to_string()))?;
        if !path.is_dir() {
            files.push(path);
        }
    }
    match files.is_empty() {
        true => Err(unmatched("no file matches".to_owned())),
        false => Ok(files),
    }
}
