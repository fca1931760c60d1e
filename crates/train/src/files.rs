use std::path::Path;

use crate::{TrainError, checkpoints_in};

/// Makes sure that `dir` can become a run's output: it does not exist yet, or is an empty directory, or `overwrite` allows
/// its files to be replaced. Nothing is written.
///
/// # Errors
///
/// `dir` is a file, or holds files that were not to be replaced.
pub fn prepare_output(dir: &Path, overwrite: bool) -> Result<(), TrainError> {
    let refuse = |reason| {
        Err(TrainError::Output {
            path: dir.to_owned(),
            reason,
        })
    };
    if dir.is_file() {
        return refuse("is a file; name a directory for the output");
    }
    let is_empty = match dir.read_dir() {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(source) => {
            return Err(TrainError::Write {
                path: dir.to_owned(),
                source,
            });
        }
    };
    if !is_empty && !overwrite {
        if checkpoints_in(dir).is_ok_and(|found| !found.is_empty()) {
            return refuse(
                "holds checkpoints of a run; resume it, name another directory, or allow to overwrite it",
            );
        }
        return refuse(
            "is a directory with files in it; name another one, or allow to overwrite it",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_or_a_full_directory_is_refused_and_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "kept").unwrap();
        assert!(
            prepare_output(&file, true)
                .unwrap_err()
                .to_string()
                .contains("is a file")
        );
        let error = prepare_output(root.path(), false).unwrap_err().to_string();
        assert!(error.contains("with files in it"), "{error}");
        prepare_output(root.path(), true).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
        prepare_output(&root.path().join("new"), false).unwrap();
        assert!(!root.path().join("new").exists());
    }
}
