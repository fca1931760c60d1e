use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{ReportError, whole_file};

/// What `training.jsonl` tells about a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainingRecord {
    /// The last start of the run.
    pub start: Option<Start>,
    /// The optimiser steps in order. Of a step that was done twice, because the run was resumed before it, the last.
    pub steps: Vec<Step>,
    /// The evaluations in order.
    pub evaluations: Vec<LoggedEvaluation>,
    /// Lines that are no JSON.
    pub cuts: Vec<Cut>,
}

/// A line that is no JSON. The last line of a run that was killed often is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Its number, from 1.
    pub line: usize,
    /// Whether no line follows.
    pub is_last: bool,
}

/// The event `start`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Start {
    /// Version of the program.
    pub version: String,
    /// The numbers of the run.
    pub options: Map<String, Value>,
    /// Training examples.
    pub examples: usize,
    /// Optimiser steps of one epoch.
    pub steps_per_epoch: usize,
    /// Optimiser steps of the whole run.
    pub total_steps: usize,
    /// Steps that warm up.
    pub warmup_steps: usize,
    /// All parameters.
    pub parameters: usize,
    /// Parameters that are trained.
    pub trainable_parameters: usize,
}

/// The event `step`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Step {
    /// Counted from 1.
    pub step: usize,
    /// Mean loss; `None` where it was no number.
    pub loss: Option<f64>,
    /// Learning rate.
    pub learning_rate: Option<f64>,
    /// Norm of the gradients before clipping.
    pub grad_norm: Option<f64>,
    /// Tokens that are not padding.
    pub tokens: u64,
    /// Wall time.
    pub seconds: f64,
}

/// The event `evaluation`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct LoggedEvaluation {
    /// Optimiser steps done.
    pub step: usize,
    /// Epochs done.
    pub epoch: f64,
    /// Every figure.
    pub metrics: Map<String, Value>,
    /// The figure that decides.
    pub selected_by: String,
    /// Whether it was the best so far.
    pub best: bool,
    /// Wall time.
    pub seconds: f64,
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line {
    Start(Start),
    Step(Step),
    Evaluation(LoggedEvaluation),
    #[serde(other)]
    Other,
}

impl TrainingRecord {
    /// The name of the file.
    pub const FILE: &str = "training.jsonl";

    /// Reads `dir/training.jsonl`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn read(dir: &Path) -> Result<Option<Self>, ReportError> {
        Ok(whole_file::read(&dir.join(Self::FILE))?.map(|text| Self::parse(&text)))
    }

    /// Reads the text of a log. What is no event, and events of other kinds, are passed over.
    pub fn parse(text: &str) -> Self {
        let mut record = Self::default();
        let lines = text.lines().count();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str(line) {
                Ok(event) => record.take(event),
                Err(_) => record.cuts.push(Cut {
                    line: index + 1,
                    is_last: index + 1 == lines,
                }),
            }
        }
        record
    }

    fn take(&mut self, event: Line) {
        match event {
            Line::Start(start) => self.start = Some(start),
            Line::Step(step) => {
                // What was done again after the run was resumed.
                self.steps.truncate(self.steps_before(step.step));
                let later = |one: &LoggedEvaluation| one.step >= step.step;
                self.evaluations.retain(|one| !later(one));
                self.steps.push(step);
            }
            Line::Evaluation(evaluation) => {
                self.evaluations.retain(|one| one.step != evaluation.step);
                self.evaluations.push(evaluation);
            }
            Line::Other => {}
        }
    }

    fn steps_before(&self, step: usize) -> usize {
        self.steps.partition_point(|one| one.step < step)
    }

    /// The evaluation whose model was kept.
    pub fn best(&self) -> Option<&LoggedEvaluation> {
        self.evaluations.iter().rev().find(|one| one.best)
    }

    /// Wall time of the optimiser steps, in seconds.
    pub fn training_seconds(&self) -> f64 {
        self.steps.iter().map(|step| step.seconds).sum()
    }

    /// Tokens that were trained on.
    pub fn tokens(&self) -> u64 {
        self.steps.iter().map(|step| step.tokens).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"{"event":"start","version":"0.1.0","options":{"epochs":2.0},"total_steps":4}
{"event":"step","step":1,"loss":0.7,"learning_rate":0.1,"grad_norm":null,"tokens":10,"seconds":0.5}
{"event":"step","step":2,"loss":null,"tokens":10,"seconds":0.5}
{"event":"evaluation","step":2,"metrics":{"accuracy":0.5},"best":true}
{"event":"checkpoint","step":2}
"#;

    #[test]
    fn events_are_read_and_unknown_ones_passed_over() {
        let record = TrainingRecord::parse(LOG);
        assert_eq!(record.start.as_ref().unwrap().total_steps, 4);
        assert_eq!(record.steps.len(), 2);
        assert_eq!(record.steps[1].loss, None);
        assert_eq!(record.best().unwrap().metrics["accuracy"], 0.5);
        assert_eq!((record.tokens(), record.training_seconds()), (20, 1.0));
        assert!(record.cuts.is_empty());
    }

    #[test]
    fn a_cut_line_is_noted_and_the_rest_is_read() {
        let cut = format!("{LOG}{{\"event\":\"step\",\"st");
        let record = TrainingRecord::parse(&cut);
        assert_eq!(record.steps.len(), 2);
        let expected = Cut {
            line: 6,
            is_last: true,
        };
        assert_eq!(record.cuts, [expected]);
    }

    #[test]
    fn steps_that_were_done_again_replace_those_before() {
        let again = format!("{LOG}{}", r#"{"event":"step","step":2,"loss":0.25}"#);
        let record = TrainingRecord::parse(&again);
        let losses: Vec<_> = record.steps.iter().map(|step| step.loss).collect();
        assert_eq!(losses, [Some(0.7), Some(0.25)]);
        assert!(record.evaluations.is_empty());
    }
}
