//! Rows that are there more than once.

use std::collections::HashMap;

use serde::Serialize;

/// Two rows with the same text (and the same second text), as indices from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RowPair {
    /// The row that comes first, or the one of the training data.
    pub first: usize,
    /// The row that repeats it, or the one of the evaluation data.
    pub second: usize,
}

/// The rows of the evaluation data that training has seen, each with the first training row of the same text. White space
/// around a text does not count.
pub fn duplicates_between(
    train: &[(&str, Option<&str>)],
    eval: &[(&str, Option<&str>)],
) -> Vec<RowPair> {
    let first_rows = first_rows(train);
    let pair = |(second, row): (usize, &(&str, Option<&str>))| {
        let first = *first_rows.get(&trimmed(row))?;
        Some(RowPair { first, second })
    };
    eval.iter().enumerate().filter_map(pair).collect()
}

/// The rows whose text has come before, each with its first occurrence. White space around a text does not count.
pub fn repeats(texts: &[(&str, Option<&str>)]) -> Vec<RowPair> {
    let first_rows = first_rows(texts);
    let pair = |(second, row): (usize, &(&str, Option<&str>))| {
        let first = first_rows[&trimmed(row)];
        (first != second).then_some(RowPair { first, second })
    };
    texts.iter().enumerate().filter_map(pair).collect()
}

fn first_rows<'a>(texts: &[(&'a str, Option<&'a str>)]) -> HashMap<(&'a str, &'a str), usize> {
    let mut rows = HashMap::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        rows.entry(trimmed(text)).or_insert(row);
    }
    rows
}

fn trimmed<'a>(row: &(&'a str, Option<&'a str>)) -> (&'a str, &'a str) {
    (row.0.trim(), row.1.unwrap_or_default().trim())
}
