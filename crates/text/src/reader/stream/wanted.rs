//! Which columns become which keys of an input.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::columns::{among_indices, among_names, is_header};
use super::super::rows::Object;
use super::super::{ColumnOptions, ReadError};
use crate::{InputColumns, Texts};

const TEXT: &str = "text";
const TEXT_PAIR: &str = "text_pair";

/// What an input is read from.
#[derive(Debug)]
pub(super) struct Wanted {
    path: PathBuf,
    input: InputColumns,
    keys: &'static str,
    options: ColumnOptions,
    /// Key and index of each column, where the whole file has the same.
    indices: Vec<(&'static str, usize)>,
    /// Key and name of each.
    columns: Vec<(String, String)>,
}

impl Wanted {
    pub(super) fn new(
        path: &Path,
        (input, keys): (InputColumns, &'static str),
        options: &ColumnOptions,
    ) -> Self {
        Self {
            path: path.to_owned(),
            input,
            keys,
            options: ColumnOptions {
                unlabelled: true,
                ..options.clone()
            },
            indices: Vec::new(),
            columns: Vec::new(),
        }
    }

    pub(super) fn columns(&self) -> &[(String, String)] {
        &self.columns
    }

    /// Settles the columns of a file whose first row is this one, and says whether that row is a header.
    pub(super) fn settle_first_row(
        &mut self,
        line: usize,
        cells: &[String],
    ) -> Result<bool, ReadError> {
        let names: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
        let says = self.options.header;
        let is_header = is_header(&names, &self.options) || (says.is_none() && self.is_own(&names));
        if is_header {
            self.settle(line, &names)?;
            return Ok(true);
        }
        self.indices = self.without_header(&names)?;
        let column = |&(key, index): &(&'static str, usize)| (key.to_owned(), index.to_string());
        self.columns = self.indices.iter().map(column).collect();
        Ok(false)
    }

    /// Settles the columns of a file with these names.
    pub(super) fn settle(&mut self, line: usize, names: &[&str]) -> Result<(), ReadError> {
        self.indices = self.among(line, names)?;
        let column =
            |&(key, index): &(&'static str, usize)| (key.to_owned(), format!("{:?}", names[index]));
        self.columns = self.indices.iter().map(column).collect();
        Ok(())
    }

    /// The indices of the columns.
    #[cfg(feature = "columnar")]
    pub(super) fn indices(&self) -> Vec<usize> {
        let mut indices: Vec<usize> = self.indices.iter().map(|(_, index)| *index).collect();
        indices.sort_unstable();
        indices
    }

    /// The input of a row of cells.
    pub(super) fn of_cells(&self, mut cells: Vec<String>) -> Object {
        let take = |&(key, index): &(&'static str, usize)| {
            let cell = std::mem::take(&mut cells[index]);
            (key.to_owned(), Value::String(cell))
        };
        self.indices.iter().map(take).collect()
    }

    /// The input of a row of the settled columns.
    #[cfg(feature = "columnar")]
    pub(super) fn of_columns(&self, mut cells: Vec<(usize, Value)>) -> Object {
        let take = |&(key, index): &(&'static str, usize)| {
            let mut cells = cells.iter_mut();
            let cell = cells.find(|(column, _)| *column == index);
            (
                key.to_owned(),
                cell.map_or(Value::Null, |(_, cell)| cell.take()),
            )
        };
        self.indices.iter().map(take).collect()
    }

    /// The input of an object; every object has its own keys.
    pub(super) fn of_object(&self, line: usize, mut object: Object) -> Result<Object, ReadError> {
        let names: Vec<String> = object.keys().cloned().collect();
        let words: Vec<&str> = names.iter().map(String::as_str).collect();
        let indices = self.among(line, &words)?;
        let take = |(key, index): (&'static str, usize)| {
            let cell = object.get_mut(&names[index]).map(Value::take);
            (key.to_owned(), cell.unwrap_or_default())
        };
        Ok(indices.into_iter().map(take).collect())
    }

    /// Whether the file has the columns that are the input's own.
    fn is_own(&self, names: &[&str]) -> bool {
        let own = self.input.own;
        !own.is_empty() && own.iter().all(|key| position(names, key).is_some())
    }

    fn among(&self, line: usize, names: &[&str]) -> Result<Vec<(&'static str, usize)>, ReadError> {
        if self.options.text.is_none() && self.is_own(names) {
            let own = self.input.own.iter();
            let own = own.filter_map(|key| Some((*key, position(names, key)?)));
            return Ok(own.collect());
        }
        let missing = || ReadError::InputColumns {
            path: self.path.clone(),
            line,
            keys: self.keys,
            columns: names.iter().map(|&name| name.to_owned()).collect(),
        };
        if self.input.texts == Texts::None {
            return Err(missing());
        }
        let found = among_names(&self.path, line, names, &self.options);
        let found = found.map_err(|error| match error {
            ReadError::UnknownColumn { .. } => missing(),
            error => error,
        })?;
        self.texts(found.text, found.text_pair).ok_or_else(missing)
    }

    /// The columns of a file without a header. Two of them may be a text and its label as well as two texts, so they are
    /// taken for two texts only where an input must have two.
    fn without_header(&self, names: &[&str]) -> Result<Vec<(&'static str, usize)>, ReadError> {
        let unknown = || ReadError::UnknownLayout {
            path: self.path.clone(),
            columns: names.len(),
            expected: match self.input.texts {
                Texts::None => "this input needs named columns",
                Texts::One => "1 would be the text",
                Texts::OneOrTwo => {
                    "1 would be the text; 2 may be two texts, or a text and its label"
                }
                Texts::Two => "2 would be the two texts",
            },
        };
        let is_told = self.options.text.is_some();
        let is_clear = match self.input.texts {
            Texts::None => return Err(unknown()),
            Texts::One | Texts::OneOrTwo => names.len() == 1,
            Texts::Two => names.len() == 2,
        };
        if !(is_told || is_clear) {
            return Err(unknown());
        }
        let found = among_indices(&self.path, names.len(), &self.options)?;
        self.texts(found.text, found.text_pair).ok_or_else(unknown)
    }

    /// The columns of the texts, as many as an input has; `None` where one is missing.
    fn texts(&self, text: usize, pair: Option<usize>) -> Option<Vec<(&'static str, usize)>> {
        let pair = match self.input.texts {
            Texts::One => None,
            _ => pair,
        };
        let is_missing = self.input.texts == Texts::Two && pair.is_none();
        let columns = [Some((TEXT, text)), pair.map(|pair| (TEXT_PAIR, pair))];
        (!is_missing).then(|| columns.into_iter().flatten().collect())
    }
}

fn position(names: &[&str], key: &str) -> Option<usize> {
    names.iter().position(|name| name.eq_ignore_ascii_case(key))
}
