//! Checkpoints on disk: written whole or not at all, listed, verified, removed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::state::{FORMAT, FileMark, State};
use super::{Difference, ResumeError, RunDescription};
use crate::TrainError;

/// The folder of an output directory that holds the run's checkpoints.
pub const CHECKPOINTS_DIR: &str = "checkpoints";

pub(crate) const PARAMETERS_FILE: &str = "parameters.safetensors";
pub(crate) const OPTIMIZER_FILE: &str = "optimizer.safetensors";
pub(crate) const BEST_FILE: &str = "best.safetensors";
pub(crate) const STATE_FILE: &str = "state.json";

/// What a state may name: nothing outside the folder.
const TENSOR_FILES: [&str; 3] = [PARAMETERS_FILE, OPTIMIZER_FILE, BEST_FILE];

/// What the folder of a checkpoint is called, before the number of its step.
const PREFIX: &str = "step-";
/// What a folder is called while it is written.
const SAVING: &str = ".saving-";
/// What a folder is called while it is removed.
const REMOVING: &str = ".removing-";
/// Bytes that are summed at a time.
const BLOCK_BYTES: usize = 1 << 20;

/// A checkpoint whose files are all there and as they were written.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    pub(crate) state: State,
}

impl Checkpoint {
    /// Opens the folder of a checkpoint, and verifies each of its files.
    ///
    /// # Errors
    ///
    /// A file is missing, damaged or of another format.
    pub fn open(path: &Path) -> Result<Self, ResumeError> {
        let state_file = path.join(STATE_FILE);
        let text = regular(&state_file).and_then(fs::read);
        let text = text.map_err(read_error(&state_file))?;
        let state: State = serde_json::from_slice(&text).map_err(|error| ResumeError::Damaged {
            path: state_file.clone(),
            reason: error.to_string(),
        })?;
        if state.format != FORMAT {
            return Err(ResumeError::Format {
                path: state_file,
                found: state.format,
                expected: FORMAT,
            });
        }
        for (name, expected) in &state.files {
            if !TENSOR_FILES.contains(&name.as_str()) {
                return Err(ResumeError::Damaged {
                    path: state_file,
                    reason: format!("{name:?} is no file of a checkpoint"),
                });
            }
            verify(&path.join(name), expected)?;
        }
        Ok(Self {
            path: path.to_owned(),
            state,
        })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Optimiser steps that were done.
    pub fn step(&self) -> usize {
        self.state.step
    }

    /// What of its run is not the same `now`.
    pub fn differences(&self, now: &RunDescription) -> Vec<Difference> {
        self.state.run.differences(now)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

fn verify(path: &Path, expected: &FileMark) -> Result<(), ResumeError> {
    let damaged = |reason: &str| ResumeError::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    match mark(path) {
        Ok(found) if found == *expected => Ok(()),
        Ok(found) if found.bytes != expected.bytes => Err(damaged(&format!(
            "it should have {} bytes, and has {}",
            expected.bytes, found.bytes
        ))),
        Ok(_) => Err(damaged("its content is not what was written (CRC-32)")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(damaged("it is missing")),
        Err(error) => Err(read_error(path)(error)),
    }
}

/// The path of a file, which has an end, unlike that of a device or a pipe.
fn regular(path: &Path) -> io::Result<&Path> {
    match fs::metadata(path)?.is_file() {
        true => Ok(path),
        false => Err(io::Error::other("it is no regular file")),
    }
}

fn read_error(path: &Path) -> impl FnOnce(io::Error) -> ResumeError {
    let path = path.to_owned();
    move |reason| ResumeError::Read { path, reason }
}

/// Length and sum of a file.
pub(crate) fn mark(path: &Path) -> io::Result<FileMark> {
    let mut file = File::open(regular(path)?)?;
    let mut hasher = crc32fast::Hasher::new();
    let mut block = vec![0; BLOCK_BYTES];
    let mut bytes = 0;
    loop {
        match file.read(&mut block)? {
            0 => break,
            length => {
                hasher.update(&block[..length]);
                bytes += length as u64;
            }
        }
    }
    Ok(FileMark {
        bytes,
        crc32: format!("{:08x}", hasher.finalize()),
    })
}

/// The folders of the checkpoints in the output directory of a run, oldest first. None where nothing was saved.
///
/// # Errors
///
/// The directory cannot be read.
pub fn checkpoints_in(output: &Path) -> Result<Vec<PathBuf>, ResumeError> {
    let dir = output.join(CHECKPOINTS_DIR);
    let entries = match dir.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(read_error(&dir)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(read_error(&dir))?;
        if let Some(step) = step_of(&entry.path()) {
            found.push((step, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// The step of a checkpoint's folder.
pub(crate) fn step_of(path: &Path) -> Option<usize> {
    let name = path.file_name()?.to_str()?;
    name.strip_prefix(PREFIX)?.parse().ok()
}

/// The name of a checkpoint's folder.
pub(crate) fn name_of(step: usize) -> String {
    format!("{PREFIX}{step:06}")
}

/// Writes a folder whole or not at all: `write` fills one of another name, which is made durable and then renamed.
pub(crate) fn write_folder(
    target: &Path,
    write: impl FnOnce(&Path) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let scratch = renamed(target, SAVING);
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| TrainError::Write { path, source }
    };
    let filled = remove_if_there(&scratch)
        .and_then(|()| fs::create_dir_all(&scratch))
        .map_err(fail(target))
        .and_then(|()| write(&scratch))
        .and_then(|()| {
            sync_files(&scratch).map_err(|(name, source)| fail(&target.join(name))(source))
        })
        .and_then(|()| fs::rename(&scratch, target).map_err(fail(target)));
    if filled.is_err() {
        // The save has failed for a reason that is reported; what it leaves behind is removed by the next one.
        let _ = fs::remove_dir_all(&scratch);
        return filled;
    }
    sync_directory(target.parent());
    Ok(())
}

fn sync_files(folder: &Path) -> Result<(), (std::ffi::OsString, io::Error)> {
    let whole = |error| (std::ffi::OsString::new(), error);
    for entry in folder.read_dir().map_err(whole)? {
        let entry = entry.map_err(whole)?;
        let file = File::options().write(true).open(entry.path());
        let synced = file.and_then(|file| file.sync_all());
        synced.map_err(|error| (entry.file_name(), error))?;
    }
    sync_directory(Some(folder));
    Ok(())
}

/// Makes the names in a directory durable where the system can; file systems exist that cannot.
fn sync_directory(path: Option<&Path>) {
    if let Some(Ok(directory)) = path.map(File::open) {
        let _ = directory.sync_all();
    }
}

/// Removes the folder of a checkpoint. Its name goes first, so that none is ever seen half removed.
pub(crate) fn remove(path: &Path) -> Result<(), TrainError> {
    let doomed = renamed(path, REMOVING);
    remove_if_there(&doomed)
        .and_then(|()| fs::rename(path, &doomed))
        .and_then(|()| fs::remove_dir_all(&doomed))
        .map_err(|source| TrainError::Write {
            path: path.to_owned(),
            source,
        })
}

/// Removes what saves and removals that were cut off have left in the folder of checkpoints.
pub(crate) fn sweep(dir: &Path) -> Result<(), TrainError> {
    let Ok(entries) = dir.read_dir() else {
        return Ok(());
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let is_left = |name: String| name.starts_with(SAVING) || name.starts_with(REMOVING);
        if name.is_some_and(is_left) {
            fs::remove_dir_all(&path).map_err(|source| TrainError::Write {
                path: path.clone(),
                source,
            })?;
        }
    }
    Ok(())
}

fn renamed(path: &Path, prefix: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(prefix);
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full_disk(path: &Path) -> TrainError {
        TrainError::Write {
            path: path.to_owned(),
            source: io::Error::other("No space left on device"),
        }
    }

    #[test]
    fn a_folder_is_written_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join(CHECKPOINTS_DIR).join(name_of(7));
        let failed = write_folder(&target, |scratch| {
            fs::write(scratch.join("half"), "half").unwrap();
            Err(full_disk(scratch))
        });
        assert!(failed.is_err());
        assert_eq!(checkpoints_in(root.path()).unwrap(), Vec::<PathBuf>::new());
        write_folder(&target, |scratch| {
            fs::write(scratch.join("whole"), "whole").unwrap();
            Ok(())
        })
        .unwrap();
        assert_eq!(
            checkpoints_in(root.path()).unwrap().as_slice(),
            std::slice::from_ref(&target)
        );
        remove(&target).unwrap();
        assert_eq!(
            root.path()
                .join(CHECKPOINTS_DIR)
                .read_dir()
                .unwrap()
                .count(),
            0
        );
    }

    #[test]
    fn checkpoints_are_listed_by_step_and_leftovers_are_not() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join(CHECKPOINTS_DIR);
        for name in [
            ".saving-step-000009",
            "step-000010",
            "step-1000000",
            "step-000002",
            "notes",
        ] {
            fs::create_dir_all(dir.join(name)).unwrap();
        }
        let found = checkpoints_in(root.path()).unwrap();
        let steps: Vec<Option<usize>> = found.iter().map(|path| step_of(path)).collect();
        assert_eq!(steps, [Some(2), Some(10), Some(1_000_000)]);
        sweep(&dir).unwrap();
        assert_eq!(dir.read_dir().unwrap().count(), 4);
    }

    #[test]
    fn a_changed_or_shortened_file_is_damaged() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        fs::write(&path, "0123456789").unwrap();
        let expected = mark(&path).unwrap();
        verify(&path, &expected).unwrap();
        for (content, word) in [("0123456780", "CRC-32"), ("0123", "10 bytes, and has 4")] {
            fs::write(&path, content).unwrap();
            let message = verify(&path, &expected).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
        fs::remove_file(&path).unwrap();
        let message = verify(&path, &expected).unwrap_err().to_string();
        assert!(message.contains("missing"), "{message}");
    }

    #[test]
    fn a_state_that_names_another_file_than_a_checkpoint_has_is_refused() {
        let root = tempfile::tempdir().unwrap();
        for name in ["/dev/zero", "../state.json", "state.json"] {
            let state = serde_json::json!({
                "format": FORMAT,
                "step": 1,
                "place": {"epoch": 0, "steps": 1, "evaluated": true},
                "tokens": 1,
                "training_seconds": 1.0,
                "evaluations_since_best": 0,
                "observers": {},
                "run": {},
                "files": {name: {"bytes": 1, "crc32": "00000000"}},
            });
            fs::write(root.path().join(STATE_FILE), state.to_string()).unwrap();
            let message = Checkpoint::open(root.path()).unwrap_err().to_string();
            let words = format!("{name:?} is no file of a checkpoint");
            assert!(
                message.contains(STATE_FILE) && message.contains(&words),
                "{message}"
            );
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_something_without_an_end_is_refused() {
        let root = tempfile::tempdir().unwrap();
        for name in [STATE_FILE, PARAMETERS_FILE] {
            let path = root.path().join(name);
            std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
            let message = mark(&path).unwrap_err().to_string();
            assert!(message.contains("no regular file"), "{message}");
        }
        let message = Checkpoint::open(root.path()).unwrap_err().to_string();
        assert!(
            message.contains("state.json") && message.contains("no regular file"),
            "{message}"
        );
    }
}
