//! Readers for the rows of text classification (TSV, CSV and JSON Lines) and for tagged words (CoNLL and JSON Lines).

mod columns;
mod delimited;
mod error;
mod filter;
mod json_lines;
mod options;
mod source;
mod tagged;

use std::path::Path;

pub use error::ReadError;
pub use filter::RowFilter;
pub use options::{Column, ColumnOptions, ColumnRole, Format};
pub(crate) use source::{decode_utf8, read_bytes};
pub use tagged::TagColumns;

use crate::{Dataset, Example};

impl Dataset {
    /// Reads a UTF-8 file. A byte-order mark, CRLF line ends and blank lines are tolerated.
    ///
    /// What `options` leaves open is guessed:
    /// - the format, from the extension ([`Format::from_path`]);
    /// - the header: a first line is one when a cell is a usual column name, or when `options` gives a column by name;
    /// - among names (a header, or the keys of each JSON object; in any case of letters) the texts are the first of
    ///   `text` + `text_pair`, `sentence1` + `sentence2`, `sentence_A` + `sentence_B`, `premise` + `hypothesis`,
    ///   `question1` + `question2`, `question` + `sentence`, `#1 String` + `#2 String`, `text`, `sentence`, `review`,
    ///   `document`, `content`, `tweet`; the label is the first of `label`, `labels`, `gold_label`,
    ///   `entailment_label`, `entailment_judgment`, `class`, `category`, `target`, `sentiment`, `score`, `is_duplicate`,
    ///   `quality`;
    /// - without names two columns are text and label, three are text, second text and label.
    ///
    /// Labels lose surrounding white space, texts keep theirs. In JSON Lines a label is a string, a number, a boolean
    /// or a list of strings and integers; a second text that is `null`, or not there and not asked for by name, is none.
    /// Rows that a filter of `options` leaves out need no label.
    ///
    /// # Errors
    /// A file that cannot be read, is empty, or is not UTF-8; a column that is not there or cannot be guessed; a row
    /// with another number of columns than the first line, without a label, or with broken quotes or JSON. The message
    /// has file and line.
    pub fn read(path: &Path, options: &ColumnOptions) -> Result<Self, ReadError> {
        let format = match options.format {
            Some(format) => format,
            // A directory is better called one than a file without a known extension.
            None if path.is_dir() => {
                return Err(ReadError::IsDirectory {
                    path: path.to_owned(),
                });
            }
            None => Format::from_path(path)?,
        };
        let content = source::read_utf8(path)?;
        let examples: Vec<Example> = match format {
            Format::Tsv => delimited::read_tsv(path, &content, options)?,
            Format::Csv => delimited::read_csv(path, &content, options)?,
            Format::JsonLines => json_lines::read(path, &content, options)?,
        };
        Ok(Self {
            path: path.to_owned(),
            examples,
        })
    }
}
