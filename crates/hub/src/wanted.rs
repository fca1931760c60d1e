//! A file that is being fetched, and its verification.

use std::fs;
use std::path::{Path, PathBuf};

use crate::disk;
use crate::error::SourceError;
use crate::manifest::FileSpec;

/// One file on its way into the cache.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) spec: &'a FileSpec,
    /// The hash pinned at first use, for a file whose hash the manifest does not state.
    pub(crate) pin: Option<Pin>,
    /// The partial file of its transfer.
    pub(crate) part: PathBuf,
    /// Where it lies, verified, until it moves to its place in the cache.
    pub(crate) staged: PathBuf,
    /// Its hash, once it is staged.
    pub(crate) accepted: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Pin {
    pub(crate) sha256: String,
    pub(crate) lock_file: PathBuf,
}

impl Wanted<'_> {
    /// Whether the manifest or a pin states the file's hash.
    pub(crate) fn is_verifiable(&self) -> bool {
        self.known_hash().is_some()
    }

    pub(crate) fn known_hash(&self) -> Option<&str> {
        self.spec
            .sha256
            .as_deref()
            .or(self.pin.as_ref().map(|pin| pin.sha256.as_str()))
    }

    /// Verifies the file at `from` and stages it; a file that fails is removed.
    /// `announced` is a hash that the source itself states.
    pub(crate) fn accept(
        &mut self,
        from: &Path,
        announced: Option<&str>,
    ) -> Result<(), SourceError> {
        match self.verify(from, announced) {
            Ok(sha256) => {
                disk::persist(from, &self.staged)
                    .map_err(SourceError::disk("move into place", &self.staged))?;
                self.accepted = Some(sha256);
                Ok(())
            }
            Err(refused) => {
                // The caller needs the reason. The next attempt overwrites a leftover.
                let _ = fs::remove_file(from);
                Err(refused)
            }
        }
    }

    fn verify(&self, path: &Path, announced: Option<&str>) -> Result<String, SourceError> {
        let found = fs::metadata(path)
            .map_err(SourceError::disk("read", path))?
            .len();
        self.check_size(found)?;
        let sha256 = disk::sha256_of(path).map_err(SourceError::disk("read", path))?;
        self.check_hash(&sha256)?;
        check_hash(&self.spec.path, announced, &sha256)?;
        Ok(sha256)
    }

    pub(crate) fn check_size(&self, found: u64) -> Result<(), SourceError> {
        match self.spec.size {
            Some(expected) if expected != found => Err(SourceError::Size {
                file: self.spec.path.clone(),
                expected,
                found,
            }),
            _ => Ok(()),
        }
    }

    /// Compares a hash with the manifest's, or else with the pin.
    pub(crate) fn check_hash(&self, found: &str) -> Result<(), SourceError> {
        match (&self.spec.sha256, &self.pin) {
            (None, Some(pin)) if pin.sha256 != found => Err(SourceError::PinMismatch {
                file: self.spec.path.clone(),
                pinned: pin.sha256.clone(),
                found: found.to_owned(),
                lock_file: pin.lock_file.clone(),
            }),
            (stated, _) => check_hash(&self.spec.path, stated.as_deref(), found),
        }
    }
}

/// Compares a hash with one that is stated, if one is.
pub(crate) fn check_hash(file: &str, stated: Option<&str>, found: &str) -> Result<(), SourceError> {
    match stated {
        Some(expected) if expected != found => Err(SourceError::Hash {
            file: file.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }),
        _ => Ok(()),
    }
}
