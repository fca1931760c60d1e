//! The rows of one file as they are read, before anyone knows what their labels mean.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::columns::{among_names, filtered_names};
use super::filter::Filters;
use super::label::{self, NoLabel};
use super::{Column, ColumnOptions, ColumnRole, ReadError, ReadNote};
use crate::{Example, Label};

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct FileRows {
    pub(super) examples: Vec<Example>,
    /// The name of the label's column, where columns have names.
    pub(super) label_column: Option<String>,
    /// The names of its classes, and the file that has them.
    pub(super) class_names: Option<(PathBuf, Vec<String>)>,
    pub(super) notes: Vec<ReadNote>,
}

/// Collects rows; those whose label is empty are told of at the end, when their number is known.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    file: Arc<Path>,
    filters: Filters<'a>,
    examples: Vec<Example>,
    first_empty: Option<usize>,
    empty: usize,
}

impl<'a> Collector<'a> {
    pub(super) fn new(path: &Path, options: &'a ColumnOptions) -> Self {
        Self {
            file: Arc::from(path),
            filters: Filters::new(&options.filters),
            examples: Vec::new(),
            first_empty: None,
            empty: 0,
        }
    }

    pub(super) fn filters(&mut self) -> &mut Filters<'a> {
        &mut self.filters
    }

    pub(super) fn path(&self) -> PathBuf {
        self.file.to_path_buf()
    }

    /// Adds a row. `label`: `None` in unlabelled data.
    pub(super) fn push(
        &mut self,
        line: usize,
        text: String,
        text_pair: Option<String>,
        label: Option<Result<Label, NoLabel>>,
    ) {
        let label = match label {
            Some(Ok(label)) => Some(label),
            Some(Err(_)) => {
                self.empty += 1;
                self.first_empty.get_or_insert(line);
                None
            }
            None => None,
        };
        self.examples.push(Example {
            text,
            text_pair,
            label,
            file: Arc::clone(&self.file),
            line,
        });
    }

    /// The rows, of which there is one at least. `header`: whether a line above them names the columns.
    pub(super) fn finish(self, header: bool) -> Result<Vec<Example>, ReadError> {
        if self.examples.is_empty() {
            return Err(self.filters.nothing_left(&self.file, header));
        }
        match self.first_empty {
            None => Ok(self.examples),
            Some(line) => {
                let labels = || self.examples.iter().filter_map(|one| one.label.as_ref());
                Err(ReadError::EmptyLabel {
                    path: self.file.to_path_buf(),
                    line,
                    labelled: labels().count(),
                    rows: self.examples.len(),
                    are_numbers: labels().all(|label| label.number().is_some()),
                })
            }
        }
    }
}

/// Turns objects into rows; every object finds its own keys, because a second text may be there in some rows only.
pub(super) struct Objects<'a> {
    options: &'a ColumnOptions,
    collector: Collector<'a>,
    label_column: Option<String>,
}

impl<'a> Objects<'a> {
    pub(super) fn new(path: &Path, options: &'a ColumnOptions) -> Result<Self, ReadError> {
        refuse_indices(path, options)?;
        Ok(Self {
            options,
            collector: Collector::new(path, options),
            label_column: None,
        })
    }

    /// The columns among these that are needed.
    #[cfg(feature = "columnar")]
    pub(super) fn wanted(&self, names: &[&str]) -> Result<Vec<usize>, ReadError> {
        let path = self.collector.path();
        let columns = among_names(&path, 1, names, self.options)?;
        let mut wanted = filtered_names(&path, 1, names, self.options)?;
        let of_rows = [Some(columns.text), columns.text_pair, columns.label];
        wanted.extend(of_rows.into_iter().flatten());
        wanted.sort_unstable();
        wanted.dedup();
        Ok(wanted)
    }

    /// Adds the row that an object is, unless a filter leaves it out.
    pub(super) fn push(&mut self, line: usize, object: &Object) -> Result<(), ReadError> {
        let path = self.collector.path();
        let keys: Vec<&str> = object.keys().map(String::as_str).collect();
        let filtered = filtered_names(&path, line, &keys, self.options)?;
        let values = filtered
            .into_iter()
            .map(|index| match &object[keys[index]] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
        if !self.collector.filters().keep(values) {
            return Ok(());
        }
        let columns = among_names(&path, line, &keys, self.options)?;
        let row = Row { path: &path, line };
        let text_pair = match columns.text_pair.map(|index| keys[index]) {
            Some(key) if !object[key].is_null() => Some(row.string(key, &object[key])?),
            _ => None,
        };
        let label = match columns.label.map(|index| keys[index]) {
            Some(key) => {
                if self.label_column.is_none() {
                    self.label_column = Some(key.to_owned());
                }
                Some(row.label(key, &object[key])?)
            }
            None => None,
        };
        let text_key = keys[columns.text];
        let text = row.string(text_key, &object[text_key])?;
        self.collector.push(line, text, text_pair, label);
        Ok(())
    }

    pub(super) fn finish(self) -> Result<FileRows, ReadError> {
        Ok(FileRows {
            examples: self.collector.finish(false)?,
            label_column: self.label_column,
            ..FileRows::default()
        })
    }
}

pub(super) fn refuse_indices(path: &Path, options: &ColumnOptions) -> Result<(), ReadError> {
    let given = [
        (ColumnRole::Text, options.text.as_ref()),
        (ColumnRole::TextPair, options.text_pair.as_ref()),
        (ColumnRole::Label, options.label.as_ref()),
    ];
    let filtered = options.filters.iter();
    let filtered = filtered.map(|filter| (ColumnRole::Filter, Some(&filter.column)));
    for (role, column) in given.into_iter().chain(filtered) {
        if let Some(Column::Index(index)) = column {
            return Err(ReadError::IndexInJson {
                path: path.to_owned(),
                role,
                index: *index,
            });
        }
    }
    Ok(())
}

/// Where an object stands, for messages.
struct Row<'a> {
    path: &'a Path,
    line: usize,
}

impl Row<'_> {
    fn string(&self, key: &str, value: &Value) -> Result<String, ReadError> {
        match value {
            Value::String(text) => Ok(text.clone()),
            other => Err(self.kind_error(key, "a string", other)),
        }
    }

    /// The label, or the news that there is none.
    fn label(&self, key: &str, value: &Value) -> Result<Result<Label, NoLabel>, ReadError> {
        match label::of_json(value) {
            Err(NoLabel::Kind) => {
                Err(self.kind_error(key, "a class name, a number or a list", value))
            }
            Err(NoLabel::Element(index)) => {
                Err(self.kind_error(key, "a list of class names or integers", &value[index]))
            }
            label => Ok(label),
        }
    }

    fn kind_error(&self, key: &str, expected: &'static str, found: &Value) -> ReadError {
        ReadError::JsonKind {
            path: self.path.to_owned(),
            line: self.line,
            key: key.to_owned(),
            expected,
            found: kind_of(found),
        }
    }
}

/// A JSON value in words.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "an integer",
        Value::String(text) if text.trim().is_empty() => "an empty string",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
