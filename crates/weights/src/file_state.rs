//! Whether a file is still the one whose header was read.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

/// What changes with a file's content: its length, the time of its last change, and on Unix its place on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileState {
    length: u64,
    modified: Option<SystemTime>,
    place: Option<(u64, u64)>,
}

impl FileState {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            place: place(metadata),
        }
    }

    /// Fails where a file is no longer in this state, so that tensors of two models are never mixed.
    pub(crate) fn check(self, metadata: &Metadata) -> io::Result<()> {
        if Self::of(metadata) == self {
            return Ok(());
        }
        Err(io::Error::other(
            "the file was changed or replaced while it was being read; run again once nothing writes to it",
        ))
    }

    /// As [`check`](Self::check), for a path.
    pub(crate) fn check_path(self, path: &Path) -> io::Result<()> {
        self.check(&path.metadata()?)
    }
}

#[cfg(unix)]
fn place(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn place(_metadata: &Metadata) -> Option<(u64, u64)> {
    None
}

/// Reads a part of a file as long as it stays in its state.
pub(crate) struct Unchanged {
    pub(crate) file: io::Take<File>,
    pub(crate) state: FileState,
}

impl Read for Unchanged {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.state.check(&self.file.get_ref().metadata()?)?;
        Ok(count)
    }
}
