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
    /// in it, with `/` between them. The last name is that of the weights, without which nobody opens the others.
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

    /// Makes every file durable, and then gives each its name. Where a file beside the weights is not what it was, the old
    /// weights go first and the new ones come last: whoever reads meanwhile, or after a power cut, finds the old model, the
    /// new one, or none, and never one with the weights of the other.
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
        let Some((weights, others)) = self.names.split_last() else {
            return Ok(());
        };
        let is_new = |name: &&String| !is_same(&self.path(name), &self.target.join(name));
        let changed: Vec<&String> = others.iter().filter(is_new).collect();
        let mut replaced = Replaced::new(self.scratch.path(), &self.target);
        for name in changed {
            let placed = replaced
                .set_aside(weights)
                .and_then(|()| replaced.set_aside(name))
                .and_then(|()| self.place(name));
            replaced.or_put_back(placed).map_err(failed(name))?;
        }
        replaced
            .or_put_back(self.place(weights))
            .map_err(failed(weights))?;
        sync_directory(&self.target);
        self.created.keep();
        Ok(())
    }
}

impl Staging {
    fn place(&self, name: &str) -> io::Result<()> {
        fs::rename(self.path(name), self.target.join(name))
    }
}

/// Whether two files have the same bytes.
fn is_same(one: &Path, other: &Path) -> bool {
    let same = || {
        let lengths = [one, other].map(|path| path.metadata().map(|found| found.len()));
        let [Ok(length), Ok(other_length)] = lengths else {
            return Ok(false);
        };
        Ok::<_, io::Error>(length == other_length && fs::read(one)? == fs::read(other)?)
    };
    same().unwrap_or(false)
}

/// Files that others are about to replace; they stay in the hidden directory until that has succeeded.
struct Replaced<'a> {
    aside: PathBuf,
    target: &'a Path,
    names: Vec<String>,
}

impl<'a> Replaced<'a> {
    fn new(scratch: &Path, target: &'a Path) -> Self {
        Self {
            aside: scratch.join(".replaced"),
            target,
            names: Vec::new(),
        }
    }

    /// Takes a file out of the way, if there is one.
    fn set_aside(&mut self, name: &str) -> io::Result<()> {
        let path = self.aside.join(name);
        create_parent(&path)?;
        match fs::rename(self.target.join(name), path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                self.names.push(name.to_owned());
                Ok(())
            }
        }
    }

    /// Where a step has failed, gives every file its place back, the weights last.
    fn or_put_back(&self, step: io::Result<()>) -> io::Result<()> {
        if step.is_err() {
            for name in self.names.iter().rev() {
                // The save has failed for a reason that is reported.
                let _ = fs::rename(self.aside.join(name), self.target.join(name));
            }
        }
        step
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

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["config.json", "vocab.txt", "model.safetensors"];

    fn staged(target: &Path, contents: [&str; 3]) -> Staging {
        let staging = Staging::begin(target, NAMES.map(str::to_owned).to_vec()).unwrap();
        for (name, content) in NAMES.iter().zip(contents) {
            staging.write(name, content.as_bytes()).unwrap();
        }
        staging
    }

    fn contents(target: &Path) -> [String; 3] {
        NAMES.map(|name| fs::read_to_string(target.join(name)).unwrap())
    }

    #[test]
    fn a_commit_that_fails_half_way_gives_every_file_its_place_back() {
        let root = tempfile::tempdir().unwrap();
        let old = ["old config", "old words", "old weights"];
        staged(root.path(), old).commit().unwrap();
        let staging = staged(root.path(), ["new config", "new words", "new weights"]);
        // In the way of the second file that is set aside.
        let in_the_way = staging.path(".replaced/vocab.txt/folder");
        fs::create_dir_all(in_the_way).unwrap();
        let error = staging.commit().unwrap_err().to_string();
        assert!(error.contains("vocab.txt"), "{error}");
        assert_eq!(contents(root.path()), old);
        assert_eq!(root.path().read_dir().unwrap().count(), 3);
        let new = ["new config", "old words", "new weights"];
        staged(root.path(), new).commit().unwrap();
        assert_eq!(contents(root.path()), new);
    }

    #[test]
    fn weights_alone_are_replaced_in_one_step() {
        let root = tempfile::tempdir().unwrap();
        staged(root.path(), ["config", "words", "old"])
            .commit()
            .unwrap();
        let staging = staged(root.path(), ["config", "words", "new"]);
        // Nothing can be set aside, and nothing has to be.
        fs::write(staging.path(".replaced"), "in the way").unwrap();
        staging.commit().unwrap();
        assert_eq!(contents(root.path()), ["config", "words", "new"]);
    }
}
