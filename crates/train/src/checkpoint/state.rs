use std::collections::BTreeMap;

use bert_report::Examination;
use bert_tasks::Evaluation;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{RunDescription, exact};

/// The layout that this version writes and reads.
pub(crate) const FORMAT: u32 = 1;

/// `state.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) format: u32,
    /// Optimiser steps done.
    pub(crate) step: usize,
    pub(crate) place: Place,
    pub(crate) tokens: usize,
    pub(crate) training_seconds: f64,
    pub(crate) best: Option<BestState>,
    /// Evaluations since the best that were no better.
    pub(crate) evaluations_since_best: usize,
    /// Optimiser steps before the last evaluation.
    pub(crate) evaluated_at: Option<usize>,
    /// What each observer needs to go on, by its name.
    pub(crate) observers: Map<String, Value>,
    pub(crate) run: RunDescription,
    pub(crate) files: BTreeMap<String, FileMark>,
}

/// Where in the data a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Finished passes over the training data.
    pub(crate) epoch: u64,
    /// Optimiser steps done in this one.
    pub(crate) steps: usize,
    /// Whether what an evaluation after the last step had to say is known.
    pub(crate) evaluated: bool,
}

impl Place {
    /// Before the first step of an epoch.
    pub(crate) fn start_of(epoch: u64) -> Self {
        Self {
            epoch,
            steps: 0,
            evaluated: true,
        }
    }
}

/// The best evaluation so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BestState {
    /// The optimiser step that it came after.
    pub(crate) step: usize,
    selected_by: String,
    /// As text, so that it comes back bit for bit.
    score: String,
    metrics: Map<String, Value>,
}

impl BestState {
    pub(crate) fn new(step: usize, evaluation: &Evaluation) -> Self {
        Self {
            step,
            selected_by: evaluation.selected_by.clone().into_owned(),
            score: evaluation.score.to_string(),
            metrics: exact::spelled(&evaluation.metrics),
        }
    }

    /// `None` if the score is no number.
    pub(crate) fn evaluation(&self) -> Option<Evaluation> {
        Some(Evaluation {
            metrics: exact::read(&self.metrics),
            selected_by: self.selected_by.clone().into(),
            score: self.score.parse().ok()?,
            examination: Examination::default(),
        })
    }
}

/// By what a file is recognised as whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileMark {
    pub(crate) bytes: u64,
    /// CRC-32 of the content, in hexadecimal.
    pub(crate) crc32: String,
}
