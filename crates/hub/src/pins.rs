//! `weights-lock.toml`: hashes that the manifest does not state, pinned when the files were first fetched.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::cache::Cache;
use crate::disk;
use crate::error::FetchError;
use crate::manifest::Entry;

/// `kind/name` → file → sha256.
type Table = BTreeMap<String, BTreeMap<String, String>>;

const HEADER: &str = "# Hashes that no manifest states, pinned when the files were first fetched. A later download that differs is refused;\n\
                      # delete a line to accept what its source holds now.\n\n";

/// The pins of one entry: file → sha256.
pub(crate) fn read(cache: &Cache, entry: &Entry) -> Result<BTreeMap<String, String>, FetchError> {
    Ok(read_table(&cache.pins_file())?
        .remove(&key(entry))
        .unwrap_or_default())
}

/// Adds the pins of one entry.
pub(crate) fn add(
    cache: &Cache,
    entry: &Entry,
    pins: BTreeMap<String, String>,
) -> Result<(), FetchError> {
    let path = cache.pins_file();
    // All entries share this file, so the lock of one entry does not protect it.
    let _guard = cache.lock_pins()?;
    let mut table = read_table(&path)?;
    table.entry(key(entry)).or_default().extend(pins);
    let text = toml::to_string(&table).map_err(|refused| FetchError::Pins {
        path: path.clone(),
        message: refused.to_string(),
    })?;
    disk::write_atomic(&path, format!("{HEADER}{text}").as_bytes())
        .map_err(FetchError::cache("write", &path))
}

fn key(entry: &Entry) -> String {
    format!("{}/{}", entry.kind.folder(), entry.name)
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
