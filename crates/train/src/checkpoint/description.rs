use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Everything that decides what a run computes: options, version, and sums of files, by names that its user knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunDescription(BTreeMap<String, String>);

impl RunDescription {
    /// Adds a fact, or replaces it.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// What is not the same `now`, in the order of the names.
    pub fn differences(&self, now: &Self) -> Vec<Difference> {
        let mut names: Vec<&String> = self.0.keys().chain(now.0.keys()).collect();
        names.sort();
        names.dedup();
        let difference = |name: &String| Difference {
            name: name.clone(),
            then: self.0.get(name).cloned(),
            now: now.0.get(name).cloned(),
        };
        let differences = names.into_iter().map(difference);
        differences.filter(|one| one.then != one.now).collect()
    }
}

/// A fact that is not what it was when a checkpoint was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub name: String,
    /// The value in the checkpoint; `None` if it had none.
    pub then: Option<String>,
    /// The value of the run that wants to go on.
    pub now: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "not given".to_owned());
        write!(
            f,
            "{} was {}, is {}",
            self.name,
            word(&self.then),
            word(&self.now)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_listed_with_both_values() {
        let mut then = RunDescription::default();
        then.set("--lr", "5e-5");
        then.set("--seed", "42");
        let mut now = then.clone();
        assert!(then.differences(&now).is_empty());
        now.set("--lr", "3e-5");
        now.set("--eval", "eval.tsv");
        let lines: Vec<String> = then
            .differences(&now)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            lines,
            [
                "--eval was not given, is eval.tsv",
                "--lr was 5e-5, is 3e-5"
            ]
        );
    }
}
