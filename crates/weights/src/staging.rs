//! Several files that take their places in a directory together or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::SaveError;

/// Files written to a hidden directory inside the target, so that a rename puts each in its place. Dropped without
/// [`Staging::commit`], it leaves the target as it was.
#[derive(Debug)]
pub struct Staging {
    // Rust drops fields in this order: the scratch directory must go before the new directories that it lies in.
    scratch: TempDir,
    created: CreatedDirectories,
    target: PathBuf,
    names: Vec<String>,
}

impl Staging {
    /// Creates the target if need be, and checks that files of these names can take their places. A name may have folders
    /// in it, with `/` between them.
    ///
    /// # Errors
    ///
    /// The target is no directory or cannot be written, or a directory has one of the names.
    pub fn begin(target: &Path, names: Vec<String>) -> Result<Self, SaveError> {
        if fs::symlink_metadata(target).is_ok() && !target.is_dir() {
            return Err(SaveError::NotADirectory {
                path: target.to_owned(),
            });
        }
        let created = CreatedDirectories::create(target)?;
        if let Some(path) = names
            .iter()
            .map(|name| target.join(name))
            .find(|path| path.is_dir())
        {
            return Err(SaveError::NotAFile { path });
        }
        let scratch = tempfile::Builder::new()
            .prefix(".export-")
            .tempdir_in(target)
            .map_err(|reason| SaveError::Write {
                path: target.to_owned(),
                reason,
            })?;
        Ok(Self {
            scratch,
            created,
            target: target.to_owned(),
            names,
        })
    }

    /// Where a file lies until it is committed.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Begins one of the files, for a caller that writes it piece by piece.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn create(&self, name: &str) -> io::Result<File> {
        let path = self.path(name);
        create_parent(&path)?;
        File::create(path)
    }

    /// Copies a file to one of the files.
    ///
    /// # Errors
    ///
    /// The original cannot be read, or the copy not be written.
    pub fn copy(&self, source: &Path, name: &str) -> Result<(), SaveError> {
        File::open(source)
            .and_then(|file| self.write(name, file))
            .map_err(|reason| SaveError::Copy {
                path: source.to_owned(),
                reason,
            })
    }

    /// Writes one of the files.
    pub(crate) fn write(&self, name: &str, mut content: impl Read) -> io::Result<()> {
        io::copy(&mut content, &mut self.create(name)?).map(drop)
    }

    /// Makes every file durable, and then gives each its name.
    ///
    /// # Errors
    ///
    /// A file was not written, or cannot take its place.
    pub fn commit(mut self) -> Result<(), SaveError> {
        let failed = |name: &str| {
            let path = self.target.join(name);
            move |reason| SaveError::Write { path, reason }
        };
        for name in &self.names {
            sync(&self.path(name)).map_err(failed(name))?;
        }
        for name in &self.names {
            create_parent(&self.target.join(name)).map_err(failed(name))?;
        }
        for name in &self.names {
            fs::rename(self.path(name), self.target.join(name)).map_err(failed(name))?;
        }
        sync_directory(&self.target);
        self.created.keep();
        Ok(())
    }
}

fn create_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn sync(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.sync_all()
}

/// Makes the renames durable where the system can. The files are in place by now, and file systems that cannot sync a
/// directory exist, so a refusal is no failure of the save.
fn sync_directory(path: &Path) {
    if let Ok(directory) = File::open(path) {
        let _ = directory.sync_all();
    }
}

/// The directories that were not there before, the deepest first; removed again unless they are kept.
#[derive(Debug)]
struct CreatedDirectories {
    paths: Vec<PathBuf>,
}

impl CreatedDirectories {
    fn create(target: &Path) -> Result<Self, SaveError> {
        let missing = target
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let created = Self {
            paths: missing.map(Path::to_owned).collect(),
        };
        fs::create_dir_all(target).map_err(|reason| SaveError::Write {
            path: target.to_owned(),
            reason,
        })?;
        Ok(created)
    }

    fn keep(&mut self) {
        self.paths.clear();
    }
}

impl Drop for CreatedDirectories {
    fn drop(&mut self) {
        for path in &self.paths {
            // Only an empty directory goes; if another program put a file there meanwhile, it stays.
            let _ = fs::remove_dir(path);
        }
    }
}
