//! Rows as JSON objects, one a line.

use std::path::Path;

use serde_json::{Map, Value};

use super::columns::{among_names, filtered_names};
use super::filter::Filters;
use super::source::numbered_lines;
use super::{Column, ColumnOptions, ColumnRole, ReadError};
use crate::{Example, Label};

/// Every object finds its own keys: a second text may be there on some lines only.
pub(super) fn read(
    path: &Path,
    content: &str,
    options: &ColumnOptions,
) -> Result<Vec<Example>, ReadError> {
    refuse_indices(path, options)?;
    let mut filters = Filters::new(&options.filters);
    let mut examples = Vec::new();
    for (line, text) in numbered_lines(content) {
        examples.extend(read_object(
            &Row { path, line },
            text,
            options,
            &mut filters,
        )?);
    }
    match examples.is_empty() {
        true => Err(filters.nothing_left(path, false)),
        false => Ok(examples),
    }
}

fn refuse_indices(path: &Path, options: &ColumnOptions) -> Result<(), ReadError> {
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

/// `None` for a row that a filter leaves out.
fn read_object(
    row: &Row<'_>,
    text: &str,
    options: &ColumnOptions,
    filters: &mut Filters<'_>,
) -> Result<Option<Example>, ReadError> {
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|source| ReadError::Json {
            path: row.path.to_owned(),
            line: row.line,
            source,
        })?;
    let keys: Vec<&str> = object.keys().map(String::as_str).collect();
    let filtered = filtered_names(row.path, row.line, &keys, options)?;
    let values = filtered
        .into_iter()
        .map(|index| match &object[keys[index]] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
    if !filters.keep(values) {
        return Ok(None);
    }
    let columns = among_names(row.path, row.line, &keys, options)?;
    let text_pair = match columns.text_pair.map(|index| keys[index]) {
        Some(key) if !object[key].is_null() => Some(row.string(key, &object[key])?),
        _ => None,
    };
    let label = columns
        .label
        .map(|index| row.label(keys[index], &object[keys[index]]))
        .transpose()?;
    let text_key = keys[columns.text];
    Ok(Some(Example {
        text: row.string(text_key, &object[text_key])?,
        text_pair,
        label,
        line: row.line,
    }))
}

impl Row<'_> {
    fn string(&self, key: &str, value: &Value) -> Result<String, ReadError> {
        match value {
            Value::String(text) => Ok(text.clone()),
            other => Err(self.kind_error(key, "a string", other)),
        }
    }

    fn label(&self, key: &str, value: &Value) -> Result<Label, ReadError> {
        match value {
            Value::Array(names) => names
                .iter()
                .map(|name| {
                    class_name(name).ok_or_else(|| {
                        self.kind_error(key, "a list of class names or integers", name)
                    })
                })
                .collect::<Result<_, _>>()
                .map(Label::Names),
            Value::Null => Err(self.empty_label()),
            Value::String(name) if name.trim().is_empty() => Err(self.empty_label()),
            other => match (class_name(other), other.as_f64()) {
                (Some(name), _) => Ok(Label::Name(name)),
                (None, Some(score)) => Ok(Label::Score(score)),
                (None, None) => {
                    Err(self.kind_error(key, "a class name, a number or a list", other))
                }
            },
        }
    }

    fn empty_label(&self) -> ReadError {
        ReadError::EmptyLabel {
            path: self.path.to_owned(),
            line: self.line,
        }
    }

    fn kind_error(&self, key: &str, expected: &'static str, found: &Value) -> ReadError {
        ReadError::JsonKind {
            path: self.path.to_owned(),
            line: self.line,
            key: key.to_owned(),
            expected,
            found: match found {
                Value::Null => "null",
                Value::Bool(_) => "a boolean",
                Value::Number(_) => "a number with a fraction",
                Value::String(_) => "an empty string",
                Value::Array(_) => "a list",
                Value::Object(_) => "an object",
            },
        }
    }
}

/// The class name that a string, an integer or a boolean is; a number with a fraction is none.
fn class_name(value: &Value) -> Option<String> {
    match value {
        Value::String(name) if !name.trim().is_empty() => Some(name.trim().to_owned()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}
