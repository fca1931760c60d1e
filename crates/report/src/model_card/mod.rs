mod body;
mod front_matter;
mod provenance;
mod results;

use std::path::Path;

use serde_json::{Map, Value};

pub use provenance::Provenance;

use crate::{ReportError, RunFile, whole_file};

/// A model card: the `README.md` of a model's directory, with the header that the hub reads.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCard {
    /// The name of the model: that of its directory.
    pub name: String,
    /// What the model is for.
    pub used_for: UsedFor,
    /// What the run started from.
    pub run: RunFile,
    /// The numbers of the run.
    pub options: Map<String, Value>,
    /// The figures of the model on the data of a role, `eval` or `test`.
    pub results: Vec<(String, Map<String, Value>)>,
    /// Whether the directory holds an adapter instead of a whole model.
    pub is_adapter: bool,
}

/// What a task's models are used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedFor {
    /// The task as the command line names it.
    pub task: &'static str,
    /// What the hub calls it; `None` where it has no name for it.
    pub pipeline_tag: Option<&'static str>,
    /// A file of input for `bert predict`, one line of it.
    pub input_line: &'static str,
    /// Lines of Python that predict with the model `MODEL`.
    pub python: &'static str,
}

/// How to know a card of ours.
const MARK: &str = "<!-- Written by `bert train`.";
/// What else the mark says.
const MARK_END: &str =
    " A further run into this directory replaces this file as long as this line is in it. -->";

impl ModelCard {
    /// The name of the file.
    pub const FILE: &str = "README.md";

    /// The whole text.
    pub fn to_markdown(&self) -> String {
        format!(
            "---\n{}---\n\n{MARK}{MARK_END}\n\n{}",
            front_matter::of(self),
            body::of(self)
        )
    }

    /// Writes `dir/README.md`, unless there is one that is no card of ours. Returns whether it was written.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written; what was there before is then still there.
    pub fn write(&self, dir: &Path) -> Result<bool, ReportError> {
        let path = dir.join(Self::FILE);
        let old = whole_file::read(&path)?;
        if old.is_some_and(|old| !old.contains(MARK)) {
            return Ok(false);
        }
        whole_file::write(&path, self.to_markdown().as_bytes())?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
