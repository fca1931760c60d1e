use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::{EvaluationFile, Report, ReportError, RunFile, TrainingRecord, page, whole_file};

/// Several runs side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The runs, in the order in which they were named.
    pub runs: Vec<Report>,
}

impl Comparison {
    /// Reads the runs of some directories. A directory that is no run, but holds some, stands for these in the order of
    /// their names: `bert train --seeds` and `--folds` leave such ones.
    ///
    /// # Errors
    ///
    /// A directory is not there, holds no run, or cannot be read.
    pub fn read(directories: &[PathBuf]) -> Result<Self, ReportError> {
        let mut runs = Vec::new();
        for directory in directories {
            for run in runs_within(directory)? {
                runs.push(Report::read(&run)?);
            }
        }
        Ok(Self { runs })
    }

    /// One page of HTML that needs nothing else: what the runs reached, the options in which they differ, their curves.
    /// Runs that differ in the seed alone have one colour.
    pub fn to_html(&self) -> String {
        page::comparison_page(&self.runs)
    }

    /// The training loss of the runs as an SVG file.
    pub fn loss_svg(&self) -> String {
        page::loss_picture(&self.runs)
    }

    /// Writes the page, or the picture where the file's name ends in `.svg`.
    ///
    /// # Errors
    ///
    /// The file cannot be written; what was there before is then still there.
    pub fn write(&self, path: &Path) -> Result<(), ReportError> {
        let content = match Self::is_picture(path) {
            true => self.loss_svg(),
            false => self.to_html(),
        };
        whole_file::write(path, content.as_bytes())
    }

    /// Whether a file's name asks for the picture.
    pub fn is_picture(path: &Path) -> bool {
        path.extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("svg"))
    }
}

/// The directory, if it is a run or holds none; else the runs in it.
fn runs_within(directory: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let itself = || vec![directory.to_owned()];
    if !directory.is_dir() || is_run(directory) {
        return Ok(itself());
    }
    let unreadable = |reason| ReportError::Read {
        path: directory.to_owned(),
        reason,
    };
    let mut runs = Vec::new();
    for entry in directory.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if is_run(&path) {
            runs.push(path);
        }
    }
    if runs.is_empty() {
        return Ok(itself());
    }
    runs.sort_by_cached_key(|run| number_at_end(run.file_name().unwrap_or_default()));
    Ok(runs)
}

fn is_run(directory: &Path) -> bool {
    [TrainingRecord::FILE, RunFile::FILE, EvaluationFile::FILE]
        .iter()
        .any(|file| directory.join(file).is_file())
}

/// What `fold-2` and `fold-10` are sorted by.
fn number_at_end(name: &OsStr) -> (String, u64) {
    let name = name.to_string_lossy();
    let words = name.trim_end_matches(|character: char| character.is_ascii_digit());
    let number = name[words.len()..].parse().unwrap_or(0);
    (words.to_owned(), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(root: &Path, name: &str) -> PathBuf {
        let run = root.join(name);
        std::fs::create_dir_all(&run).unwrap();
        std::fs::write(
            run.join("training.jsonl"),
            r#"{"event":"step","step":1,"loss":0.5}"#,
        )
        .unwrap();
        run
    }

    #[test]
    fn a_directory_of_runs_stands_for_them_in_the_order_of_their_numbers() {
        let root = tempfile::tempdir().unwrap();
        let runs = ["fold-1", "fold-2", "fold-10"].map(|name| log(root.path(), name));
        std::fs::create_dir(root.path().join("notes")).unwrap();
        let read = Comparison::read(&[root.path().to_owned(), runs[1].clone()]).unwrap();
        let paths: Vec<&PathBuf> = read.runs.iter().map(|run| &run.path).collect();
        assert_eq!(paths, [&runs[0], &runs[1], &runs[2], &runs[1]]);
    }

    #[test]
    fn a_directory_without_runs_is_refused_by_name() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("empty")).unwrap();
        for name in ["", "none"] {
            let path = root.path().join(name);
            let error = Comparison::read(std::slice::from_ref(&path)).unwrap_err();
            assert!(error.to_string().contains(&path.display().to_string()));
        }
    }
}
