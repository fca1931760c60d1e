//! Some of a file's rows: those whose columns have given values.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::{Column, ReadError};

/// More values than these are not listed when no row has the one that was asked for.
const LISTED: usize = 10;

/// Keeps the rows that have a value in a column. Surrounding white space does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFilter {
    /// The column.
    pub column: Column,
    /// Its value in the rows to keep.
    pub value: String,
}

/// `COLUMN=VALUE`; the first `=` ends the column.
impl FromStr for RowFilter {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word.split_once('=') {
            Some((column, value)) if !column.trim().is_empty() => Ok(Self {
                column: match column.trim().parse() {
                    Ok(column) => column,
                    Err(never) => match never {},
                },
                value: value.trim().to_owned(),
            }),
            _ => Err("expected COLUMN=VALUE, as in SemEval_set=TRAIN".to_owned()),
        }
    }
}

impl fmt::Display for RowFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Column::Name(name) => write!(f, "{name}={}", self.value),
            Column::Index(index) => write!(f, "{index}={}", self.value),
        }
    }
}

/// The filters at work on one file.
#[derive(Debug)]
pub(super) struct Filters<'a> {
    filters: &'a [RowFilter],
    rejected: usize,
    /// What the rows have instead, for the message when none is left.
    instead: BTreeSet<String>,
}

impl<'a> Filters<'a> {
    pub(super) fn new(filters: &'a [RowFilter]) -> Self {
        Self {
            filters,
            rejected: 0,
            instead: BTreeSet::new(),
        }
    }

    /// Whether a row stays, given its values in the columns of the filters, in their order.
    pub(super) fn keep<S: AsRef<str>>(&mut self, values: impl IntoIterator<Item = S>) -> bool {
        for (filter, value) in self.filters.iter().zip(values) {
            let value = value.as_ref().trim();
            if value != filter.value {
                self.rejected += 1;
                if self.instead.len() <= LISTED {
                    self.instead.insert(value.to_owned());
                }
                return false;
            }
        }
        true
    }

    /// The error of a file of which nothing is left.
    pub(super) fn nothing_left(self, path: &Path, header: bool) -> ReadError {
        let path = path.to_owned();
        if self.rejected == 0 {
            return ReadError::Empty { path, header };
        }
        let words: Vec<String> = self.filters.iter().map(ToString::to_string).collect();
        let more = self.instead.len() > LISTED;
        let mut instead: Vec<String> = self.instead.into_iter().take(LISTED).collect();
        if more {
            instead.push("…".to_owned());
        }
        ReadError::NoMatch {
            path,
            filters: words.join(" and "),
            rows: self.rejected,
            instead,
        }
    }
}
