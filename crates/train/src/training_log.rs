use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::{EvaluationReport, ExchangeReport, Observer, Plan, StepReport, TrainError};

/// Writes the events of a run to `training.jsonl`, one JSON object a line. Every line is flushed, so that a run can be
/// followed.
#[derive(Debug)]
pub struct TrainingLog {
    path: PathBuf,
    file: Option<File>,
}

impl TrainingLog {
    /// The name of the log's file.
    pub const FILE: &str = "training.jsonl";

    /// A log at `dir/training.jsonl`, created (with its directory) when the run starts, replacing an older one.
    pub fn new(dir: &Path) -> Self {
        Self {
            path: dir.join(Self::FILE),
            file: None,
        }
    }

    /// The log of a run that goes on: what was written after its checkpoint is cut off.
    fn reopen(&self, length: u64) -> io::Result<File> {
        let mut file = File::options().read(true).write(true).open(&self.path)?;
        let found = file.metadata()?.len();
        if found < length {
            return Err(io::Error::other(format!(
                "it had {length} bytes when the checkpoint was saved, and has {found}; put it back to go on"
            )));
        }
        file.set_len(length)?;
        file.seek(io::SeekFrom::End(0))?;
        Ok(file)
    }

    /// The length of the log, once all of it is on the disk.
    fn durable_length(&self) -> io::Result<u64> {
        let Some(file) = &self.file else {
            return Ok(0);
        };
        file.sync_data()?;
        Ok(file.metadata()?.len())
    }

    fn failed(&self, source: io::Error) -> TrainError {
        TrainError::Write {
            path: self.path.clone(),
            source,
        }
    }

    fn create(&self) -> std::io::Result<File> {
        if let Some(dir) = self.path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        File::create(&self.path)
    }

    fn write(&mut self, line: &Value) -> Result<(), TrainError> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let written = writeln!(file, "{line}");
        written.map_err(|source| self.failed(source))
    }
}

impl Observer for TrainingLog {
    fn started(&mut self, plan: &Plan<'_>) -> Result<(), TrainError> {
        let file = self.create().map_err(|source| self.failed(source))?;
        self.file = Some(file);
        self.write(&json!({
            "event": "start",
            "version": env!("CARGO_PKG_VERSION"),
            "options": plan.options,
            "examples": plan.examples,
            "steps_per_epoch": plan.steps_per_epoch,
            "total_steps": plan.schedule.total_steps,
            "warmup_steps": plan.schedule.warmup_steps,
            "parameters": plan.parameters,
            "trainable_parameters": plan.trainable_parameters,
        }))
    }

    fn resumed(&mut self, plan: &Plan<'_>, states: &Map<String, Value>) -> Result<(), TrainError> {
        let Some(length) = states.get(Self::FILE).and_then(Value::as_u64) else {
            return self.started(plan);
        };
        let file = self.reopen(length).map_err(|source| self.failed(source))?;
        self.file = Some(file);
        Ok(())
    }

    fn save_state(&mut self, states: &mut Map<String, Value>) -> Result<(), TrainError> {
        let length = self
            .durable_length()
            .map_err(|source| self.failed(source))?;
        states.insert(Self::FILE.to_owned(), length.into());
        Ok(())
    }

    fn stepped(&mut self, report: &StepReport) -> Result<(), TrainError> {
        self.write(&json!({
            "event": "step",
            "step": report.step,
            "epoch": report.epoch,
            "loss": report.loss,
            "learning_rate": report.learning_rate,
            "grad_norm": report.grad_norm,
            "tokens": report.tokens,
            "seconds": report.seconds,
        }))
    }

    fn exchanged(&mut self, report: &ExchangeReport) -> Result<(), TrainError> {
        self.write(&json!({
            "event": "exchange",
            "processes": report.processes,
            "steps": report.steps,
            "bytes_per_step": report.bytes_per_step(),
            "overlapped_bytes_per_step": report.overlapped_bytes_per_step(),
            "messages_per_step": report.messages_per_step(),
        }))
    }

    fn evaluated(&mut self, report: &EvaluationReport<'_>) -> Result<(), TrainError> {
        self.write(&json!({
            "event": "evaluation",
            "step": report.step,
            "epoch": report.epoch,
            "metrics": report.evaluation.metrics,
            "selected_by": report.evaluation.selected_by,
            "best": report.is_best,
            "seconds": report.seconds,
        }))
    }

    fn stopped_early(
        &mut self,
        step: usize,
        evaluations_since_best: usize,
    ) -> Result<(), TrainError> {
        self.write(&json!({
            "event": "early_stop",
            "step": step,
            "evaluations_since_best": evaluations_since_best,
        }))
    }
}
