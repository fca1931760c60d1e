//! The directory a training run writes to.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bert_report::{EventFile, RunFile};
use bert_train::TrainingLog;

/// An output directory that exists and is writable. Dropped without [`keep`](Self::keep), it removes what the run created,
/// unless the run has saved a model by then.
pub(crate) struct OutputDirectory {
    path: PathBuf,
    /// The directories that were not there before, the deepest first.
    created: Vec<PathBuf>,
}

impl OutputDirectory {
    /// Creates the directory if it is missing, and a file in it as a trial: an error now is better than one after the
    /// training.
    pub(crate) fn claim(path: &Path) -> Result<Self> {
        let missing = path
            .ancestors()
            .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists());
        let directory = Self {
            path: path.to_owned(),
            created: missing.map(Path::to_owned).collect(),
        };
        std::fs::create_dir_all(path)
            .and_then(|()| tempfile::tempfile_in(path).map(drop))
            .with_context(|| format!("{}: cannot write", path.display()))?;
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
