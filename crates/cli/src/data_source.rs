//! How a command line names a file of data: by its path, or by a data set of the manifest.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use bert_hub::{DataSplit, Entry, FileSpec, Kind, Manifest, ManifestError};

use crate::failure::WrongUsage;
use crate::model_source::fetch_entry;

/// Resolves each of the words of `argument`.
///
/// # Errors
///
/// As [`find`].
pub(crate) fn find_all(
    argument: &str,
    words: &[PathBuf],
    split: DataSplit,
    offline: bool,
) -> Result<Vec<PathBuf>> {
    let find = |word: &PathBuf| find(argument, word, split, offline);
    words.iter().map(find).collect()
}

/// Resolves `word`, a value of `argument` (`--train`, say). A word that exists as a path is a path. `NAME` is the file of
/// that data set for this split, or its only file; `NAME/FILE` is any file of it. The data set is downloaded and verified if
/// the cache lacks it. A word that is none of these stays a path, for its reader to refuse.
///
/// # Errors
///
/// The data set has no such file, the word is the name of a model or almost that of a data set, or the download fails.
fn find(argument: &str, word: &Path, split: DataSplit, offline: bool) -> Result<PathBuf> {
    let as_it_is = || Ok(word.to_owned());
    if word.exists() {
        return as_it_is();
    }
    let Some(text) = word.to_str() else {
        return as_it_is();
    };
    let (name, file) = match text.split_once('/') {
        Some((name, file)) => (name, Some(file)),
        None => (text, None),
    };
    let manifest = Manifest::builtin()?;
    let entry = match manifest.entry(name) {
        Ok(entry) if entry.kind == Kind::Dataset => entry,
        Ok(_) if file.is_none() => {
            return Err(wrong(format!(
                "{argument} {name}: this is a model; `bert models` lists the data sets"
            )));
        }
        Err(unknown) if file.is_none() && suggests_data(&manifest, &unknown) => {
            return Err(wrong(format!(
                "{argument} {name}: no such file, and {unknown} (see `bert models`)"
            )));
        }
        Ok(_) | Err(_) => return as_it_is(),
    };
    let chosen = match file {
        Some(file) => entry.files.iter().find(|spec| spec.path == file),
        None => of_split(entry, split),
    };
    let Some(chosen) = chosen else {
        return Err(wrong(no_such_file(argument, text, entry, split)));
    };
    Ok(fetch_entry(entry, offline)?.join(&chosen.path))
}

fn suggests_data(manifest: &Manifest, unknown: &ManifestError) -> bool {
    let ManifestError::UnknownName { suggestions, .. } = unknown else {
        return false;
    };
    let is_data = |name: &String| {
        manifest
            .entry(name)
            .is_ok_and(|entry| entry.kind == Kind::Dataset)
    };
    suggestions.iter().any(is_data)
}

fn of_split(entry: &Entry, split: DataSplit) -> Option<&FileSpec> {
    match entry.files.as_slice() {
        [only] => Some(only),
        files => files.iter().find(|file| file.split == Some(split)),
    }
}

fn no_such_file(argument: &str, word: &str, entry: &Entry, split: DataSplit) -> String {
    let files: Vec<String> = entry
        .files
        .iter()
        .map(|file| format!("{}/{}", entry.name, file.path))
        .collect();
    let missing = match (word.contains('/'), split) {
        (true, _) => "no such file of this data set",
        (false, DataSplit::Train) => "this data set has no training file",
        (false, DataSplit::Dev) => "this data set has no development file",
        (false, DataSplit::Test) => "this data set has no test file",
    };
    format!(
        "{argument} {word}: {missing}; its files are {}",
        files.join(", ")
    )
}

fn wrong(message: String) -> anyhow::Error {
    anyhow!(WrongUsage(message))
}
