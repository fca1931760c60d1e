//! What a check found, as tables for people or as one JSON object.

use anyhow::Result;
use bert_text::ReadNote;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::format::shortened;
use crate::results::Results;
use crate::table::Table;

/// A finding lists so many places and counts the others.
const LISTED: usize = 5;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// Training or evaluation would be wrong.
    Problem,
    /// Probably a mistake in the data.
    Warning,
    /// Good to know.
    Note,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn new(severity: Severity, message: String) -> Self {
        Self { severity, message }
    }

    /// What is odd about how a file was read.
    pub(crate) fn of_note(note: &ReadNote) -> Self {
        let severity = match note.is_warning() {
            true => Severity::Warning,
            false => Severity::Note,
        };
        Self::new(severity, note.to_string())
    }

    /// A finding about some places: `what`, and a list of the first places. `None` if there is no place.
    pub(crate) fn at(
        severity: Severity,
        places: &[String],
        what: impl FnOnce() -> String,
    ) -> Option<Self> {
        (!places.is_empty()).then(|| {
            let message = format!("{}: {}", what(), shortened(places, LISTED));
            Self::new(severity, message)
        })
    }
}

/// Figures under their keys, with a table or a line for each, and the findings.
#[derive(Default)]
pub(crate) struct Report {
    figures: Map<String, Value>,
    lines: Vec<String>,
    findings: Vec<Finding>,
}

impl Report {
    /// Adds figures of one split, as a value for JSON and as lines for people.
    pub(crate) fn figures(
        &mut self,
        split: &str,
        key: &str,
        value: impl Serialize,
        lines: Vec<String>,
    ) {
        let split = self.figures.entry(split).or_insert_with(|| json!({}));
        if let Value::Object(split) = split {
            split.insert(key.to_owned(), json!(value));
        }
        self.lines.extend(lines);
    }

    pub(crate) fn findings(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    pub(crate) fn print(mut self, as_json: bool) -> Result<()> {
        self.findings.sort_by_key(|finding| finding.severity);
        let mut results = Results::new();
        if as_json {
            self.figures
                .insert("findings".to_owned(), json!(self.findings));
            results.json(&self.figures)?;
        } else {
            for line in self.lines.iter().chain(&findings_table(&self.findings)) {
                results.line(line)?;
            }
        }
        results.flush()
    }
}

fn findings_table(findings: &[Finding]) -> Vec<String> {
    if findings.is_empty() {
        return vec!["no problems found".to_owned()];
    }
    let mut table = Table::new(&["SEVERITY", "FINDING"]);
    for Finding { severity, message } in findings {
        let word = match severity {
            Severity::Problem => "problem",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        table.push(vec![word.to_owned(), message.clone()]);
    }
    table.lines()
}
