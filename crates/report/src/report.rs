use std::path::{Path, PathBuf};

use crate::{Cut, EvaluationFile, ReportError, RunFile, TrainingRecord, page, whole_file};

/// What lies in the output directory of a run, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The directory.
    pub path: PathBuf,
    /// `training.jsonl`.
    pub record: Option<TrainingRecord>,
    /// `run.json`.
    pub run: Option<RunFile>,
    /// `evaluation.json`.
    pub evaluation: Option<EvaluationFile>,
    /// What is missing or damaged, in sentences.
    pub notes: Vec<String>,
}

impl Report {
    /// Reads what there is in a directory. A file that is missing or damaged leaves a note.
    ///
    /// # Errors
    ///
    /// There is no such directory, none of the files is there, or one cannot be read.
    pub fn read(dir: &Path) -> Result<Self, ReportError> {
        if !dir.is_dir() {
            return Err(ReportError::NoDirectory {
                path: dir.to_owned(),
            });
        }
        let mut report = Self {
            path: dir.to_owned(),
            record: TrainingRecord::read(dir)?,
            run: None,
            evaluation: None,
            notes: Vec::new(),
        };
        report.run = report.noted(RunFile::read(dir))?;
        report.evaluation = report.noted(EvaluationFile::read(dir))?;
        if report.is_empty() && report.notes.is_empty() {
            let files = [TrainingRecord::FILE, RunFile::FILE, EvaluationFile::FILE];
            return Err(ReportError::Nothing {
                path: dir.to_owned(),
                files: files.join(", "),
            });
        }
        report.note_what_is_missing();
        Ok(report)
    }

    /// A file that is another one than its name says is no reason to show nothing.
    fn noted<T>(&mut self, read: Result<Option<T>, ReportError>) -> Result<Option<T>, ReportError> {
        match read {
            Err(error @ ReportError::Malformed { .. }) => {
                self.notes.push(format!("{error}. It is left out."));
                Ok(None)
            }
            read => read,
        }
    }

    fn is_empty(&self) -> bool {
        self.record.is_none() && self.run.is_none() && self.evaluation.is_none()
    }

    fn note_what_is_missing(&mut self) {
        match &self.record {
            None => self.notes.push(
                "training.jsonl is missing, so there are no curves and no recipe.".to_owned(),
            ),
            Some(record) => self.notes.extend(notes_on(record)),
        }
        let is_missing = |file: &str| !self.path.join(file).exists();
        let parts = [
            (
                RunFile::FILE,
                "model, data and machine are not shown. `bert train` writes it before the first step.",
            ),
            (
                EvaluationFile::FILE,
                "there are no single predictions to show. `bert train` writes it where there is --eval or --test data.",
            ),
        ];
        let missing = parts.into_iter().filter(|(file, _)| is_missing(file));
        let missing: Vec<String> = missing
            .map(|(file, what)| format!("{file} is missing, so {what}"))
            .collect();
        self.notes.extend(missing);
    }

    /// One page of HTML that needs nothing else.
    pub fn to_html(&self) -> String {
        page::page(self)
    }

    /// Writes the page.
    ///
    /// # Errors
    ///
    /// The file cannot be written; what was there before is then still there.
    pub fn write(&self, path: &Path) -> Result<(), ReportError> {
        whole_file::write(path, self.to_html().as_bytes())
    }
}

/// What is wrong with a log.
fn notes_on(record: &TrainingRecord) -> Vec<String> {
    let cut = |cut: &Cut| match cut.is_last {
        true => format!(
            "training.jsonl ends in the middle of line {}: the run was stopped while it wrote. It is shown up to there.",
            cut.line
        ),
        false => format!(
            "Line {} of training.jsonl is no JSON. It is left out.",
            cut.line
        ),
    };
    let mut notes: Vec<String> = record.cuts.iter().map(cut).collect();
    if let (Some(start), Some(last)) = (&record.start, record.steps.last())
        && last.step < start.total_steps
    {
        notes.push(format!(
            "The log ends at step {} of {}: the run was stopped early or still goes on.",
            last.step, start.total_steps
        ));
    }
    notes
}
