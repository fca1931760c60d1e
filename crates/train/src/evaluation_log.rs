use std::path::{Path, PathBuf};

use bert_report::EvaluationFile;

use crate::{EvaluationReport, Observer, TrainError};

/// Writes `evaluation.json` whenever an evaluation is the best so far: what the single predictions of the model beside it
/// tell.
#[derive(Debug)]
pub struct EvaluationLog {
    dir: PathBuf,
}

impl EvaluationLog {
    /// A log in `dir`.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }
}

impl Observer for EvaluationLog {
    fn evaluated(&mut self, report: &EvaluationReport<'_>) -> Result<(), TrainError> {
        if !report.is_best {
            return Ok(());
        }
        let file = EvaluationFile {
            data: "eval".to_owned(),
            step: report.step,
            epoch: report.epoch,
            metrics: report.evaluation.metrics.clone(),
            selected_by: report.evaluation.selected_by.clone().into_owned(),
            examination: report.evaluation.examination.clone(),
        };
        Ok(file.write(&self.dir)?)
    }
}
