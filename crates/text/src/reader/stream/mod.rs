//! Rows of a file one by one, in constant memory, as the inputs of predictions need them.

#[cfg(feature = "columnar")]
mod columnar;
mod delimited;
mod wanted;

use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::rows::{Object, refuse_indices};
use super::{ColumnOptions, Format, Lines, ReadError, Source};
use crate::InputColumns;
#[cfg(feature = "columnar")]
use columnar::TableRows;
use delimited::DelimitedRows;
use wanted::Wanted;

/// The rows of one file as objects with the keys of an input.
#[derive(Debug)]
pub(crate) struct RowStream {
    path: PathBuf,
    line: usize,
    rows: Rows,
    wanted: Wanted,
}

#[derive(Debug)]
enum Rows {
    Delimited(DelimitedRows),
    Json(Lines<Box<dyn BufRead + Send>>),
    #[cfg(feature = "columnar")]
    Columnar(TableRows),
}

impl RowStream {
    /// Reads as much as tells the columns. `input`: the columns of an input, and its keys in words.
    pub(crate) fn open(
        source: Source,
        format: Format,
        input: (InputColumns, &'static str),
        options: &ColumnOptions,
    ) -> Result<Self, ReadError> {
        let path = source.path.clone();
        let mut wanted = Wanted::new(&path, input, options);
        let rows = match format {
            Format::Tsv | Format::Csv => {
                Rows::Delimited(DelimitedRows::open(source, format, options, &mut wanted)?)
            }
            Format::JsonLines => {
                refuse_indices(&path, options)?;
                Rows::Json(Lines::new(source.reader, &path))
            }
            #[cfg(feature = "columnar")]
            Format::Parquet | Format::Arrow => {
                refuse_indices(&path, options)?;
                Rows::Columnar(TableRows::open(source, format, &mut wanted)?)
            }
            #[cfg(not(feature = "columnar"))]
            Format::Parquet | Format::Arrow => return Err(ReadError::NoColumnar { path }),
        };
        Ok(Self {
            path,
            line: 0,
            rows,
            wanted,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The line or row that was read last.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// The keys with the names of their columns, where the whole file has the same.
    pub(crate) fn columns(&self) -> &[(String, String)] {
        self.wanted.columns()
    }

    /// The next JSON object, with the keys of the input.
    fn next_json(
        lines: &mut Lines<Box<dyn BufRead + Send>>,
        wanted: &Wanted,
    ) -> Result<Option<Object>, ReadError> {
        let Some(text) = lines.next_filled()? else {
            return Ok(None);
        };
        let object: Object = serde_json::from_str(&text).map_err(|source| ReadError::Json {
            path: lines.path().to_owned(),
            line: lines.line(),
            source,
        })?;
        wanted.of_object(lines.line(), object).map(Some)
    }
}

impl Iterator for RowStream {
    type Item = Result<Object, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.rows {
            Rows::Delimited(rows) => {
                let row = rows.next_row().transpose();
                self.line = rows.line();
                Some(row?.map(|cells| self.wanted.of_cells(cells)))
            }
            Rows::Json(lines) => {
                let object = Self::next_json(lines, &self.wanted).transpose();
                self.line = lines.line();
                object
            }
            #[cfg(feature = "columnar")]
            Rows::Columnar(rows) => {
                let row = rows.next_row().transpose()?;
                self.line += 1;
                Some(row.map(|object| self.wanted.of_columns(object)))
            }
        }
    }
}
