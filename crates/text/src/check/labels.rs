//! How often each label comes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::share;

/// A label with how often it comes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelCount {
    /// The label.
    pub label: String,
    /// How often it comes.
    pub count: usize,
    /// Their share of all labels given.
    pub share: f64,
}

/// The labels with their counts, the most frequent first, equal ones by name. A row of several labels gives each of them.
pub fn label_counts<'a>(labels: impl IntoIterator<Item = &'a str>) -> Vec<LabelCount> {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for label in labels {
        *found.entry(label).or_default() += 1;
    }
    let all = found.values().sum();
    let mut counts: Vec<LabelCount> = found
        .into_iter()
        .map(|(label, count)| LabelCount {
            label: label.to_owned(),
            count,
            share: share(count, all),
        })
        .collect();
    counts.sort_by_key(|one| Reverse(one.count));
    counts
}
