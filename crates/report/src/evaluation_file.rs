use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Examination, ReportError, whole_file};

/// One evaluation with its examination: the file `evaluation.json`. A run writes it whenever an evaluation is the best so
/// far, so that it tells of the model that lies beside it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EvaluationFile {
    /// Which data was scored: `eval` or `test`.
    pub data: String,
    /// Optimiser steps done.
    pub step: usize,
    /// Epochs done, with the fraction of the current one.
    pub epoch: f64,
    /// Every figure.
    pub metrics: Map<String, Value>,
    /// The name of the figure that decides which checkpoint is best.
    pub selected_by: String,
    /// What single predictions tell.
    #[serde(flatten)]
    pub examination: Examination,
}

impl EvaluationFile {
    /// The name of the file.
    pub const FILE: &str = "evaluation.json";

    /// Writes `dir/evaluation.json`.
    ///
    /// # Errors
    ///
    /// The file cannot be written; what was there before is then still there.
    pub fn write(&self, dir: &Path) -> Result<(), ReportError> {
        whole_file::write_json(&dir.join(Self::FILE), self)
    }

    /// Reads `dir/evaluation.json`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is another one.
    pub fn read(dir: &Path) -> Result<Option<Self>, ReportError> {
        whole_file::read_json(&dir.join(Self::FILE))
    }
}
