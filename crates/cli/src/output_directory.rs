//! The directory a training run writes to.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bert_report::{EventFile, RunFile};
use bert_train::TrainingLog;

/// The names of folders that killed saves have left begin so.
const FOLDERS_OF_SAVES: &str = ".export-";
/// The names of files that runs have not finished begin so.
const UNFINISHED_FILES: &str = ".bert-";

/// An output directory that exists and is writable, and that no other process writes to. Dropped without [`keep`](Self::keep), it removes what the run created,
/// unless the run has saved a model by then.
pub(crate) struct OutputDirectory {
    path: PathBuf,
    /// The directories that were not there before, the deepest first.
    created: Vec<PathBuf>,
    /// Other processes wait for this to be closed, or are refused. `None` where a directory cannot be locked.
    _lock: Option<File>,
}

impl OutputDirectory {
    /// Creates the directory if it is missing, and a file in it as a trial: an error now is better than one after the
    /// training. Refuses a directory that another process has claimed, and removes what killed saves have left in it.
    pub(crate) fn claim(path: &Path) -> Result<Self> {
        let missing = path
            .ancestors()
            .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists());
        let mut directory = Self {
            path: path.to_owned(),
            created: missing.map(Path::to_owned).collect(),
            _lock: None,
        };
        std::fs::create_dir_all(path)
            .and_then(|()| tempfile::tempfile_in(path).map(drop))
            .with_context(|| format!("{}: cannot write", path.display()))?;
        match lock(path) {
            Ok(lock) => directory._lock = lock,
            Err(error) => {
                // It is the other process's directory.
                directory.created.clear();
                return Err(error);
            }
        }
        remove_leftovers(path);
        Ok(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The run has succeeded.
    pub(crate) fn keep(mut self) {
        self.created.clear();
    }

    /// The logs, where they are all that the run has written; nothing where there is more.
    fn mere_logs(&self) -> Vec<PathBuf> {
        let Ok(entries) = self.path.read_dir() else {
            return Vec::new();
        };
        let logs = entries.map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let name = name.to_str()?;
            let is_log = [TrainingLog::FILE, RunFile::FILE].contains(&name)
                || name.starts_with(EventFile::PREFIX);
            is_log.then(|| entry.path())
        });
        logs.collect::<Option<_>>().unwrap_or_default()
    }
}

/// Locks a directory. Nobody can do that on some systems and file systems: they have no lock.
fn lock(path: &Path) -> Result<Option<File>> {
    let Ok(directory) = File::open(path) else {
        return Ok(None);
    };
    match directory.try_lock() {
        Ok(()) => Ok(Some(directory)),
        Err(TryLockError::WouldBlock) => bail!(
            "{}: another process is writing to it; wait for that, or name another directory",
            path.display()
        ),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// What cannot be removed only costs space.
fn remove_leftovers(path: &Path) {
    let entries = path.read_dir().into_iter().flatten().flatten();
    for entry in entries {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        if name.starts_with(FOLDERS_OF_SAVES) {
            let _ = std::fs::remove_dir_all(path);
        } else if name.starts_with(UNFINISHED_FILES) && path.is_file() {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Drop for OutputDirectory {
    fn drop(&mut self) {
        if self.created.is_empty() {
            return;
        }
        for log in self.mere_logs() {
            // What cannot be removed stays; the run has failed for a reason that is reported already.
            let _ = std::fs::remove_file(log);
        }
        for path in &self.created {
            // Only an empty directory goes, so a saved model stays.
            let _ = std::fs::remove_dir(path);
        }
    }
}
