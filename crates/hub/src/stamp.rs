//! A record of verified files. A file whose size and modification time equal its stamp is not hashed again.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::disk;

/// The verified files of one entry, by path.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamps {
    files: BTreeMap<String, Stamp>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    sha256: String,
    size: u64,
    modified_ns: u64,
}

impl Stamps {
    /// Reads the stamps. Where they are absent or not readable, the files are hashed again.
    pub(crate) fn read(path: &Path) -> Self {
        fs::read(path)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default()
    }

    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        disk::write_atomic(path, &serde_json::to_vec_pretty(self)?)
    }

    /// The hash that `file` had when it was verified, if it has not changed since.
    pub(crate) fn hash_of(&self, file: &str, metadata: &Metadata) -> Option<&str> {
        let stamp = self.files.get(file)?;
        let unchanged =
            stamp.size == metadata.len() && Some(stamp.modified_ns) == modified_ns(metadata);
        unchanged.then_some(stamp.sha256.as_str())
    }

    /// The size that `file` had when it was verified.
    pub(crate) fn size_of(&self, file: &str) -> Option<u64> {
        self.files.get(file).map(|stamp| stamp.size)
    }

    /// Records `file` as verified. On a file system without times it records nothing, and the file is hashed each time.
    pub(crate) fn record(&mut self, file: &str, sha256: &str, metadata: &Metadata) {
        if let Some(modified_ns) = modified_ns(metadata) {
            let stamp = Stamp {
                sha256: sha256.to_owned(),
                size: metadata.len(),
                modified_ns,
            };
            self.files.insert(file.to_owned(), stamp);
        }
    }
}

fn modified_ns(metadata: &Metadata) -> Option<u64> {
    let since_epoch = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since_epoch.as_nanos()).ok()
}
