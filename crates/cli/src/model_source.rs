//! How a command line names a model: by a directory, or by an entry of the manifest.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use bert_hub::{Entry, FetchOptions, Fetcher, Kind, Manifest};

use crate::failure::WrongUsage;
use crate::progress::FetchProgress;

/// A model before it is fetched.
pub(crate) enum ModelSource {
    /// A checkpoint on this machine.
    Path(PathBuf),
    /// The name of a manifest entry.
    Named(String),
}

impl ModelSource {
    /// Resolves `word`, the value of `argument` (`--model`, say). A word that exists as a path is a path. Fetches nothing.
    ///
    /// # Errors
    ///
    /// The word can only be a path and does not exist, or the manifest has no model of this name.
    pub(crate) fn find(argument: &str, word: &str) -> Result<Self> {
        let path = Path::new(word);
        if path.exists() {
            return Ok(Self::Path(path.to_owned()));
        }
        if path.components().count() != 1 || word.starts_with('.') || word.ends_with('/') {
            bail!("{argument} {word}: no such directory");
        }
        let manifest = Manifest::builtin()?;
        match manifest.entry(word) {
            Ok(entry) if entry.kind == Kind::Model => Ok(Self::Named(entry.name.clone())),
            Ok(entry) => Err(WrongUsage(format!(
                "{argument} {}: this is a data set; `bert models` lists the models",
                entry.name
            ))
            .into()),
            Err(unknown) => Err(WrongUsage(format!(
                "{argument}: no directory of this name, and {unknown} (see `bert models`)"
            ))
            .into()),
        }
    }

    /// The directory of the checkpoint. A named model is downloaded and verified if the cache lacks it.
    pub(crate) fn directory(&self, offline: bool) -> Result<PathBuf> {
        match self {
            Self::Path(path) => Ok(path.clone()),
            Self::Named(name) => fetch_named(name, offline),
        }
    }
}

/// Makes sure that the manifest has an entry of this name.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let manifest = Manifest::builtin()?;
    find_entry(&manifest, name).map(drop)
}

/// Fetches an entry of the manifest and returns its directory.
pub(crate) fn fetch_named(name: &str, offline: bool) -> Result<PathBuf> {
    let manifest = Manifest::builtin()?;
    let entry = find_entry(&manifest, name)?;
    let fetcher = Fetcher::new(FetchOptions {
        offline,
        ..FetchOptions::from_env()?
    });
    let mut progress = FetchProgress::new(&entry.name);
    Ok(fetcher.fetch(entry, &mut progress)?.dir)
}

fn find_entry<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a Entry> {
    let entry = manifest.entry(name);
    Ok(entry.map_err(|unknown| WrongUsage(format!("{unknown} (see `bert models`)")))?)
}
