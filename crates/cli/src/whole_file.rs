//! A file that is written completely or not at all.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tempfile::TempDir;

/// Content that goes to a temporary file beside the target; [`commit`](Self::commit) renames it. Without a commit the target
/// keeps its content.
pub(crate) struct WholeFile {
    path: PathBuf,
    file: BufWriter<File>,
    // Last, so that the file is closed before its directory goes.
    scratch: TempDir,
}

/// The name of the file while it grows.
const GROWING: &str = "growing";

impl WholeFile {
    /// Makes sure that the file can be written.
    pub(crate) fn begin(path: &Path) -> Result<Self> {
        if path.is_dir() {
            bail!("{}: is a directory; name a file", path.display());
        }
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let begun = || {
            let scratch = tempfile::Builder::new()
                .prefix(".bert-")
                .tempdir_in(parent)?;
            let file = File::create(scratch.path().join(GROWING))?;
            Ok::<_, std::io::Error>((scratch, file))
        };
        let (scratch, file) = begun().with_context(|| cannot_write(path))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
            scratch,
        })
    }

    /// One value as one line of JSON.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<()> {
        let line = serde_json::to_string(value)?;
        writeln!(self.file, "{line}").with_context(|| cannot_write(&self.path))
    }

    /// Bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .with_context(|| cannot_write(&self.path))
    }

    /// Puts other bytes in the place of the first ones of the file. Nothing more can be added after that.
    pub(crate) fn replace_start(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .rewind()
            .and_then(|()| self.file.write_all(bytes))
            .with_context(|| cannot_write(&self.path))
    }

    /// Makes the content durable and gives the file its name.
    pub(crate) fn commit(mut self) -> Result<()> {
        let growing = self.scratch.path().join(GROWING);
        self.file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .and_then(|()| std::fs::rename(growing, &self.path))
            .with_context(|| cannot_write(&self.path))
    }
}

fn cannot_write(path: &Path) -> String {
    format!("{}: cannot write", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uncommitted_file_leaves_what_was_there_and_a_committed_one_replaces_it() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("rows.jsonl");
        std::fs::write(&path, "old").unwrap();
        let mut dropped = WholeFile::begin(&path).unwrap();
        dropped.json_line(&1).unwrap();
        drop(dropped);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        let mut kept = WholeFile::begin(&path).unwrap();
        kept.json_line(&1).unwrap();
        kept.commit().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n");
        assert_eq!(root.path().read_dir().unwrap().count(), 1);
    }
}
