//! The layout of the cache, and its locks.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::FetchError;
use crate::manifest::Entry;
use crate::progress::Progress;

/// The layout of the cache folder:
///
/// ```text
/// models/NAME/…  datasets/NAME/…   complete, verified files and nothing else
/// weights-lock.toml                hashes pinned at first use
/// partial/KIND/NAME/…              transfers under way
/// state/KIND/NAME.{lock,json}      inter-process lock, record of what was verified
/// ```
///
/// Models of the hub lie in the hub's own cache, not here. They have the kind `hub` in `partial` and `state`.
#[derive(Clone, Debug)]
pub struct Cache {
    home: PathBuf,
}

impl Cache {
    /// The cache in the folder `home`, which need not exist yet.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self { home: home.into() }
    }

    /// The folder of an entry's files.
    pub fn dir(&self, entry: &Entry) -> PathBuf {
        self.home.join(entry.kind.folder()).join(&entry.name)
    }

    /// The file of pinned hashes.
    pub fn pins_file(&self) -> PathBuf {
        self.home.join("weights-lock.toml")
    }

    pub(crate) fn partial(&self, entry: &Entry) -> PathBuf {
        self.partial_of(entry.kind.folder(), &entry.name)
    }

    /// The folder of the transfers under way of something of this kind and name.
    pub(crate) fn partial_of(&self, kind: &str, name: &str) -> PathBuf {
        self.home.join("partial").join(kind).join(name)
    }

    pub(crate) fn stamp_file(&self, entry: &Entry) -> PathBuf {
        self.stamp_file_of(entry.kind.folder(), &entry.name)
    }

    /// The record of what was verified of something of this kind and name.
    pub(crate) fn stamp_file_of(&self, kind: &str, name: &str) -> PathBuf {
        self.state(kind, name, "json")
    }

    fn state(&self, kind: &str, name: &str, extension: &str) -> PathBuf {
        let folder = self.home.join("state").join(kind);
        folder.join(format!("{name}.{extension}"))
    }

    /// Waits until no other process or thread fetches `entry`; the lock ends with the value returned.
    pub(crate) fn lock(
        &self,
        entry: &Entry,
        progress: &mut dyn Progress,
    ) -> Result<File, FetchError> {
        self.lock_of(entry.kind.folder(), &entry.name, progress)
    }

    /// As [`Cache::lock`], for something of this kind and name.
    pub(crate) fn lock_of(
        &self,
        kind: &str,
        name: &str,
        progress: &mut dyn Progress,
    ) -> Result<File, FetchError> {
        let path = self.state(kind, name, "lock");
        let file = open_lock(&path)?;
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                progress.note(&format!(
                    "another process is fetching {name}; waiting for it"
                ));
            }
            Err(TryLockError::Error(refused)) => {
                return Err(FetchError::cache("lock", &path)(refused));
            }
        }
        file.lock().map_err(FetchError::cache("lock", &path))?;
        Ok(file)
    }

    /// Guards the file of pins; held only while it is rewritten.
    pub(crate) fn lock_pins(&self) -> Result<File, FetchError> {
        let path = self.home.join("state").join("weights-lock.lock");
        let file = open_lock(&path)?;
        file.lock().map_err(FetchError::cache("lock", &path))?;
        Ok(file)
    }
}

fn open_lock(path: &Path) -> Result<File, FetchError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(FetchError::cache("create the folder", parent))?;
    }
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(FetchError::cache("open the lock file", path))
}
