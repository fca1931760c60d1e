use bert_parity::Comparison;
use serde::Serialize;

use crate::Group;

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Every comparison passes.
    Passed,
    /// One does not, or the check could not be made.
    Failed,
    /// The device has nothing that it could check.
    NotRun,
}

/// A check, and what it found.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// What it belongs to.
    pub group: Group,
    /// What it checks.
    pub name: String,
    /// What became of it.
    pub status: Status,
    /// How many comparisons were made.
    pub compared: usize,
    /// The one that uses most of its tolerance.
    pub worst: Option<Comparison>,
    /// The first that do not pass, and why the check ended before its end.
    pub failures: Vec<String>,
    /// Why it was not run.
    pub reason: Option<String>,
}

/// More would not tell more.
const SHOWN_FAILURES: usize = 5;

impl Outcome {
    /// The outcome of a check that has made these comparisons, and ended with an error.
    pub(crate) fn of(
        group: Group,
        name: String,
        made: Vec<Comparison>,
        error: Option<String>,
    ) -> Self {
        let failed = made.iter().filter(|one| !one.passes());
        let mut failures: Vec<String> = failed
            .take(SHOWN_FAILURES)
            .map(ToString::to_string)
            .collect();
        failures.extend(error);
        if made.is_empty() && failures.is_empty() {
            failures.push("nothing was compared".to_owned());
        }
        Self {
            group,
            name,
            status: match failures.is_empty() {
                true => Status::Passed,
                false => Status::Failed,
            },
            compared: made.len(),
            worst: made
                .into_iter()
                .max_by(|one, other| one.used().total_cmp(&other.used())),
            failures,
            reason: None,
        }
    }

    /// The outcome of a check that the device has nothing for.
    pub(crate) fn not_run(group: Group, name: String, reason: String) -> Self {
        Self {
            group,
            name,
            status: Status::NotRun,
            compared: 0,
            worst: None,
            failures: Vec::new(),
            reason: Some(reason),
        }
    }
}
