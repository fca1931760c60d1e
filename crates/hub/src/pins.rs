//! `weights-lock.toml`: hashes that the manifest does not state, and commits and hashes of models of the hub, pinned when
//! the files were first fetched.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::cache::Cache;
use crate::disk;
use crate::error::FetchError;
use crate::manifest::Entry;

/// Section → key → pin.
///
/// | section | key | pin |
/// |---|---|---|
/// | `models/NAME`, `datasets/NAME` | file | sha256 |
/// | `hub-revisions` | `OWNER/NAME@REVISION` | commit |
/// | `hub/OWNER/NAME@COMMIT` | file | sha256 |
type Table = BTreeMap<String, BTreeMap<String, String>>;

const HEADER: &str = "# Hashes that no manifest states, and commits of the hub, pinned when the files were first fetched. A later download\n\
                      # that differs is refused; delete a line to accept what its source holds now.\n\n";

/// The section of the commits that branches and tags of the hub meant.
pub(crate) const HUB_REVISIONS: &str = "hub-revisions";

/// The section of an entry's files.
pub(crate) fn of_entry(entry: &Entry) -> String {
    format!("{}/{}", entry.kind.folder(), entry.name)
}

/// The section of the files of a commit.
pub(crate) fn of_commit(repo: &str, commit: &str) -> String {
    format!("hub/{repo}@{commit}")
}

/// The pins of one section.
pub(crate) fn read(cache: &Cache, section: &str) -> Result<BTreeMap<String, String>, FetchError> {
    Ok(read_table(&cache.pins_file())?
        .remove(section)
        .unwrap_or_default())
}

/// Adds pins to one section.
pub(crate) fn add(
    cache: &Cache,
    section: String,
    pins: BTreeMap<String, String>,
) -> Result<(), FetchError> {
    if pins.is_empty() {
        return Ok(());
    }
    let path = cache.pins_file();
    // All sections share this file, so the lock of one entry does not protect it.
    let _guard = cache.lock_pins()?;
    let mut table = read_table(&path)?;
    table.entry(section).or_default().extend(pins);
    let text = toml::to_string(&table).map_err(|refused| FetchError::Pins {
        path: path.clone(),
        message: refused.to_string(),
    })?;
    disk::write_atomic(&path, format!("{HEADER}{text}").as_bytes())
        .map_err(FetchError::cache("write", &path))
}

fn read_table(path: &Path) -> Result<Table, FetchError> {
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|refused| FetchError::Pins {
            path: path.to_path_buf(),
            message: refused.message().to_owned(),
        }),
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => Ok(Table::new()),
        Err(refused) => Err(FetchError::cache("read", path)(refused)),
    }
}
