use std::path::{Path, PathBuf};

use bert_report::EventFile;

use crate::{EvaluationReport, Observer, Plan, StepReport, TrainError};

/// Writes the events of a run as scalars for TensorBoard, to a file of its own in the run's directory:
/// `train/loss`, `train/learning_rate`, `train/grad_norm`, `train/epoch`, and each figure of an evaluation as `eval/…`.
///
/// A file of an older run stays; TensorBoard shows of it what this run has not done again.
#[derive(Debug)]
pub struct TensorBoardLog {
    dir: PathBuf,
    file: Option<EventFile>,
    has_started: bool,
}

impl TensorBoardLog {
    /// A log in `dir`, created when the run starts.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            file: None,
            has_started: false,
        }
    }
}

impl Observer for TensorBoardLog {
    fn started(&mut self, _plan: &Plan<'_>) -> Result<(), TrainError> {
        self.file = Some(EventFile::create(&self.dir)?);
        Ok(())
    }

    fn stepped(&mut self, report: &StepReport) -> Result<(), TrainError> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        if !self.has_started {
            file.start_at(report.step)?;
            self.has_started = true;
        }
        let scalars = [
            ("train/loss", report.loss),
            ("train/learning_rate", report.learning_rate),
            ("train/grad_norm", report.grad_norm),
            ("train/epoch", report.epoch),
        ];
        Ok(file.scalars(report.step, &scalars)?)
    }

    fn evaluated(&mut self, report: &EvaluationReport<'_>) -> Result<(), TrainError> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let figures = report.evaluation.metrics.iter();
        let figures: Vec<(String, f64)> = figures
            .filter_map(|(name, value)| Some((format!("eval/{name}"), value.as_f64()?)))
            .collect();
        let scalars: Vec<(&str, f64)> = figures
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        Ok(file.scalars(report.step, &scalars)?)
    }
}
