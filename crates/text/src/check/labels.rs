//! How often each label comes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::share;

/// A label with the number of its rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelCount {
    /// The label.
    pub label: String,
    /// Rows that have it.
    pub rows: usize,
    /// Their share of all labels given.
    pub share: f64,
}

/// The labels with their counts, the most frequent first, equal ones by name. A row of several labels gives each of them.
pub fn label_counts<'a>(labels: impl IntoIterator<Item = &'a str>) -> Vec<LabelCount> {
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    for label in labels {
        *rows.entry(label).or_default() += 1;
    }
    let all = rows.values().sum();
    let mut counts: Vec<LabelCount> = rows
        .into_iter()
        .map(|(label, rows)| LabelCount {
            label: label.to_owned(),
            rows,
            share: share(rows, all),
        })
        .collect();
    counts.sort_by_key(|count| Reverse(count.rows));
    counts
}
