//! A first line that was read as a row and may be a header with names of its own.

use std::collections::HashMap;
use std::path::Path;

use super::columns::Columns;
use super::{ReadError, ReadNote};
use crate::{Example, Label};

/// The first row of a file of which nobody says whether it has a header.
#[derive(Debug)]
pub(super) struct FirstRow {
    line: usize,
    /// The flags that read it as a header.
    flags: String,
}

/// So many other rows tell what labels usually look like.
const ENOUGH: usize = 2;

impl FirstRow {
    /// `None` in a file without labels.
    pub(super) fn of(line: usize, cells: &[&str], columns: &Columns) -> Option<Self> {
        let columns = [
            ("text", Some(columns.text)),
            ("pair", columns.text_pair),
            ("label", Some(columns.label?)),
        ];
        let mut flags = "--header yes".to_owned();
        for (role, column) in columns {
            if let Some(index) = column {
                flags += &format!(" --{role}-column {}", quoted(cells[index]));
            }
        }
        Some(Self { line, flags })
    }

    /// Compares its label with those of the other rows.
    ///
    /// # Errors
    /// It is no number where all others are.
    pub(super) fn check(
        &self,
        path: &Path,
        examples: &[Example],
    ) -> Result<Option<ReadNote>, ReadError> {
        let Some((first, others)) = examples.split_first() else {
            return Ok(None);
        };
        let Some(Label::Name(name)) = &first.label else {
            return Ok(None);
        };
        let labels = || others.iter().filter_map(|other| other.label.as_ref());
        if first.line != self.line || labels().count() < ENOUGH || !may_be_a_name(name) {
            return Ok(None);
        }
        if labels().all(|label| label.number().is_some()) {
            return Err(ReadError::ProbableHeader {
                path: path.to_owned(),
                line: self.line,
                label: name.clone(),
                flags: self.flags.clone(),
            });
        }
        let mut counts: HashMap<String, usize> = HashMap::new();
        for class in labels().flat_map(Label::class_names) {
            *counts.entry(class.into_owned()).or_default() += 1;
        }
        let is_odd = !counts.contains_key(name) && counts.values().all(|&count| count > 1);
        Ok(is_odd.then(|| ReadNote::ProbableHeader {
            path: path.to_owned(),
            line: self.line,
            label: name.clone(),
            flags: self.flags.clone(),
        }))
    }
}

/// Whether a column may be called so: not by a number, and not by what people write where a value is missing.
fn may_be_a_name(label: &str) -> bool {
    const MISSING: [&str; 7] = ["n/a", "na", "nan", "none", "null", "-", "?"];
    let is_missing = MISSING.contains(&label.to_lowercase().as_str());
    !is_missing && !label.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    match word.chars().all(is_plain) && !word.is_empty() {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
