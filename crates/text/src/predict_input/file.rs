//! Inputs of a file: one a line, or one a row.

use std::io::BufRead;
use std::marker::PhantomData;
use std::path::Path;

use serde_json::Value;

use super::{PredictError, PredictInputs, PredictLine};
use crate::reader::{RowStream, Source};
use crate::{ColumnOptions, Format, ReadError};

/// How inputs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFormat {
    /// One a line: plain text or a JSON object.
    Lines,
    /// One a row.
    Rows(Format),
}

/// Reads inputs one by one, in their order and in constant memory.
#[derive(Debug)]
pub struct PredictFile<T> {
    inputs: Inputs<T>,
}

#[derive(Debug)]
enum Inputs<T> {
    Lines(PredictInputs<Box<dyn BufRead + Send>, T>),
    Rows(Box<RowStream>, PhantomData<fn() -> T>),
}

impl<T: PredictLine> PredictFile<T> {
    /// Opens a file, compressed or not, or standard input for `-`. Without a format the extension tells it: `.tsv`, `.csv`,
    /// `.parquet`, `.arrow` and `.feather` are rows. Anything else is lines, of which JSON objects are rows where
    /// `options` names a column.
    ///
    /// Parquet and Arrow need a file that can be read from any place: compressed ones and those of a stream are copied to a
    /// temporary file first.
    ///
    /// # Errors
    /// It cannot be opened or unpacked, is a directory, or has not the columns of the input.
    pub fn open(
        path: &Path,
        format: Option<InputFormat>,
        options: &ColumnOptions,
    ) -> Result<Self, ReadError> {
        let mut source = Source::open(path)?;
        let inputs = match format.map_or_else(|| guessed(&mut source, options), Ok)? {
            InputFormat::Lines if options.text.is_some() || options.text_pair.is_some() => {
                return Err(ReadError::NoColumns { path: source.path });
            }
            InputFormat::Lines => Inputs::Lines(PredictInputs::new(source.reader, &source.path)),
            InputFormat::Rows(format) => {
                let rows = RowStream::open(source, format, (T::COLUMNS, T::KEYS), options)?;
                Inputs::Rows(Box::new(rows), PhantomData)
            }
        };
        Ok(Self { inputs })
    }

    /// The number of the line or row that was read last, from 1.
    pub fn line(&self) -> usize {
        match &self.inputs {
            Inputs::Lines(lines) => lines.line(),
            Inputs::Rows(rows, _) => rows.line(),
        }
    }

    /// The keys of the input with the columns that they are read from; none for lines and for JSON.
    pub fn columns(&self) -> &[(String, String)] {
        match &self.inputs {
            Inputs::Lines(_) => &[],
            Inputs::Rows(rows, _) => rows.columns(),
        }
    }
}

/// The format that the name of a file tells, or its first bytes.
fn guessed(source: &mut Source, options: &ColumnOptions) -> Result<InputFormat, ReadError> {
    let names_columns = options.text.is_some() || options.text_pair.is_some();
    let is_text = source
        .inner
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("txt"));
    let known = match Format::of_extension(&source.inner) {
        Some(format) if !is_text => Some(format),
        _ => Format::of_content(source.first_bytes()?),
    };
    Ok(match known {
        Some(Format::JsonLines) if !names_columns => InputFormat::Lines,
        Some(format) => InputFormat::Rows(format),
        None => InputFormat::Lines,
    })
}

impl<T: PredictLine> Iterator for PredictFile<T> {
    type Item = Result<T, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (rows, object) = match &mut self.inputs {
            Inputs::Lines(lines) => return lines.next(),
            Inputs::Rows(rows, _) => {
                let object = rows.next()?;
                (rows, object)
            }
        };
        Some(object.and_then(|object| {
            serde_json::from_value(Value::Object(object)).map_err(|source| ReadError::Predict {
                path: rows.path().to_owned(),
                line: rows.line(),
                source: PredictError::Row {
                    keys: T::KEYS,
                    source,
                },
            })
        }))
    }
}
