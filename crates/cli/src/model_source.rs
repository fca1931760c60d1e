//! How a command line names a model: by a directory, by an entry of the manifest, or by its name on the hub.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bert_hub::{AskHub, Entry, FetchOptions, Fetcher, HubName, Kind, Manifest};
use bert_tasks::adapters::{BaseModel, base_on_hub};

use crate::failure::WrongUsage;
use crate::progress::FetchProgress;

/// A model before it is fetched.
pub(crate) enum ModelSource {
    /// A checkpoint on this machine.
    Path(PathBuf),
    /// The name of a manifest entry.
    Named(String),
    /// A model of the hub, and the argument that named it.
    Hub(String, HubName),
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
        if let Some(name) = HubName::parse(word) {
            return Ok(Self::Hub(argument.to_owned(), name));
        }
        if path.components().count() != 1 || word.starts_with('.') || word.ends_with('/') {
            bail!(
                "{argument} {word}: no such directory, and no name of the hub (OWNER/NAME or OWNER/NAME@REVISION)"
            );
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
                "{argument} {word}: no such directory, and {unknown} (see `bert models`); a model of the hub is \
                 OWNER/NAME"
            ))
            .into()),
        }
    }

    /// The directory of the checkpoint. A named model is downloaded and verified if the cache lacks it, and so is the base
    /// model of an adapter.
    pub(crate) fn directory(&self, offline: bool) -> Result<PathBuf> {
        let directory = self.own_directory(offline)?;
        if let Some(base) = base_on_hub(&directory)?
            && let Some(name) = HubName::parse(&base)
        {
            let adapter = directory.display();
            fetch_hub(&name, AskHub::WhenNeeded, offline).with_context(|| {
                format!("{adapter}: the hub did not give the base model {name} of the adapter")
            })?;
        }
        Ok(directory)
    }

    /// How an adapter that is trained on this model names it; `directory` is where it lies. A model of the hub goes by its
    /// name and its commit, any other by its path.
    pub(crate) fn base_model(&self, directory: &Path) -> Result<BaseModel> {
        if let Self::Hub(_, name) = self {
            let is_snapshot = directory
                .parent()
                .is_some_and(|all| all.ends_with("snapshots"));
            let commit = directory.file_name().filter(|_| is_snapshot);
            let name = name.to_string();
            return Ok(BaseModel {
                name: name.split('@').next().unwrap_or(&name).to_owned(),
                revision: commit.map(|commit| commit.to_string_lossy().into_owned()),
            });
        }
        let directory = match directory.is_dir() {
            true => directory,
            false => directory.parent().unwrap_or(directory),
        };
        let path = directory
            .canonicalize()
            .with_context(|| format!("{}: cannot be resolved", directory.display()))?;
        Ok(BaseModel {
            name: path.to_string_lossy().into_owned(),
            revision: None,
        })
    }

    fn own_directory(&self, offline: bool) -> Result<PathBuf> {
        match self {
            Self::Path(path) => Ok(path.clone()),
            Self::Named(name) => fetch_entry(find_entry(&Manifest::builtin()?, name)?, offline),
            Self::Hub(argument, name) => {
                fetch_hub(name, AskHub::WhenNeeded, offline).with_context(|| {
                    format!("{argument} {name}: no such directory, and the hub did not give it")
                })
            }
        }
    }
}

/// Makes sure that the manifest has an entry of this name, or that it is a name of the hub.
pub(crate) fn check_name(name: &str) -> Result<()> {
    match HubName::parse(name) {
        Some(_) => Ok(()),
        None => find_entry(&Manifest::builtin()?, name).map(drop),
    }
}

/// Fetches an entry of the manifest or a model of the hub and returns its directory. The hub is asked whether a branch or
/// tag has moved.
pub(crate) fn fetch_named(name: &str, offline: bool) -> Result<PathBuf> {
    match HubName::parse(name) {
        Some(name) => fetch_hub(&name, AskHub::Always, offline),
        None => fetch_entry(find_entry(&Manifest::builtin()?, name)?, offline),
    }
}

/// Fetches an entry of the manifest and returns its directory.
pub(crate) fn fetch_entry(entry: &Entry, offline: bool) -> Result<PathBuf> {
    let mut progress = FetchProgress::new(&entry.name);
    Ok(fetcher(offline)?.fetch(entry, &mut progress)?.dir)
}

fn fetch_hub(name: &HubName, ask: AskHub, offline: bool) -> Result<PathBuf> {
    let mut progress = FetchProgress::new(&name.to_string());
    Ok(fetcher(offline)?.fetch_hub(name, ask, &mut progress)?.dir)
}

fn fetcher(offline: bool) -> Result<Fetcher> {
    Ok(Fetcher::new(FetchOptions {
        offline,
        ..FetchOptions::from_env()?
    }))
}

fn find_entry<'a>(manifest: &'a Manifest, name: &str) -> Result<&'a Entry> {
    let entry = manifest.entry(name);
    Ok(entry.map_err(|unknown| WrongUsage(format!("{unknown} (see `bert models`)")))?)
}
