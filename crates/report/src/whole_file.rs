//! Files that are written completely or not at all, and files that may be missing.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;

use crate::ReportError;

/// Writes a file beside its place and then gives it its name.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), ReportError> {
    written(path, content).map_err(|reason| ReportError::Write {
        path: path.to_owned(),
        reason,
    })
}

fn written(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".bert-");
    // A temporary file is its owner's alone; this one is to become like any other.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file: NamedTempFile = builder.tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Writes a value as JSON for people.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ReportError> {
    let text = serde_json::to_string_pretty(value).map_err(|reason| ReportError::Malformed {
        path: path.to_owned(),
        reason,
    })?;
    write(path, format!("{text}\n").as_bytes())
}

/// The text of a file; `None` where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<String>, ReportError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(reason) => Err(ReportError::Read {
            path: path.to_owned(),
            reason,
        }),
    }
}

/// The value of a JSON file; `None` where there is none.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ReportError> {
    let Some(text) = read(path)? else {
        return Ok(None);
    };
    let value = serde_json::from_str(&text).map_err(|reason| ReportError::Malformed {
        path: path.to_owned(),
        reason,
    })?;
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("new").join("run.json");
        write_json(&path, &1).unwrap();
        write_json(&path, &2).unwrap();
        assert_eq!(read_json(&path).unwrap(), Some(2));
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1);
        assert_eq!(read(&root.path().join("none")).unwrap(), None);
        std::fs::write(&path, "{").unwrap();
        let error = read_json::<u8>(&path).unwrap_err().to_string();
        assert!(error.contains("run.json"), "{error}");
    }
}
