use bert_doctor::{Advice, Outcome, Status};
use serde::Serialize;

use super::machine::Machine;
use super::speed::Speed;
use crate::table::Table;

/// What `bert doctor` prints, by the names it prints.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) passed: bool,
    pub(crate) checks: Vec<Outcome>,
    /// Settings that are unsafe here.
    pub(crate) advice: Vec<Advice>,
    pub(crate) speed: Speed,
    pub(crate) machine: Machine,
}

impl Report {
    /// The names of the checks that failed.
    pub(crate) fn failed(&self) -> Vec<String> {
        let failed = self
            .checks
            .iter()
            .filter(|one| one.status == Status::Failed);
        failed
            .map(|one| format!("{} {}", one.group, one.name))
            .collect()
    }

    /// The lines for people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = self.checks_table().lines();
        lines.push(String::new());
        for check in &self.checks {
            for failure in &check.failures {
                lines.push(format!("{} {}: {failure}", check.group, check.name));
            }
        }
        for advice in &self.advice {
            lines.push(said(advice));
        }
        lines.push(self.summary());
        lines.push(String::new());
        lines.extend(self.machine_table().lines());
        lines
    }

    fn checks_table(&self) -> Table {
        let header = [
            "RESULT",
            "KIND",
            "CHECK",
            "ERROR",
            "ALLOWED",
            "NUMBERS",
            "FURTHEST OFF",
        ];
        let mut table = Table::new(&header);
        for check in &self.checks {
            let result = match check.status {
                Status::Passed => "ok",
                Status::Failed => "FAILED",
                Status::NotRun => "not run",
            };
            let figure = |value: f64| format!("{value:.1e}");
            let dash = || "-".to_owned();
            let worst = check.worst.as_ref();
            table.push(vec![
                result.to_owned(),
                check.group.to_string(),
                check.name.clone(),
                worst.map_or_else(dash, |worst| figure(worst.error)),
                worst.map_or_else(dash, |worst| figure(worst.allowed)),
                check.compared.to_string(),
                match (&check.reason, worst) {
                    (Some(reason), _) => reason.clone(),
                    (None, Some(worst)) => format!("{} of {}", worst.quantity, worst.name),
                    (None, None) => dash(),
                },
            ]);
        }
        table
    }

    fn machine_table(&self) -> Table {
        let mut table = Table::new(&["MACHINE", ""]);
        for [name, value] in self.machine.rows() {
            table.push(vec![name, value]);
        }
        let speed = match (self.speed.tokens_per_second, &self.speed.failure) {
            (Some(tokens), _) => format!("{tokens:.0} tokens a second in training a tiny BERT"),
            (None, Some(failure)) => format!("could not be measured: {failure}"),
            (None, None) => "not measured".to_owned(),
        };
        table.push(vec!["speed".to_owned(), speed]);
        if let Some(growth) = self.speed.memory_growth_mib {
            let text = format!("{growth:.1} MiB between two equal runs");
            table.push(vec!["memory growth".to_owned(), text]);
        }
        table
    }

    fn summary(&self) -> String {
        let count = |status| {
            self.checks
                .iter()
                .filter(|one| one.status == status)
                .count()
        };
        format!(
            "{} checks passed, {} failed, {} not run",
            count(Status::Passed),
            count(Status::Failed),
            count(Status::NotRun)
        )
    }
}

fn said(advice: &Advice) -> String {
    let issues: Vec<String> = advice
        .burn_issues
        .iter()
        .map(|issue| format!("burn#{issue}"))
        .collect();
    let issues = match issues.is_empty() {
        true => String::new(),
        false => format!(" (reports of the like: {})", issues.join(", ")),
    };
    format!(
        "unsafe here: {}; {}; instead: {}{issues}",
        advice.unsafe_setting, advice.because, advice.instead
    )
}
