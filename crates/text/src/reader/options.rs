//! What a caller may say about a file of rows.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::{ReadError, RowFilter};

/// How rows and columns are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Columns separated by tabs, as GLUE has them: no quoting, a `"` is a plain character.
    Tsv,
    /// RFC 4180: columns separated by commas, quoted where they hold commas, quotes or line breaks.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

impl Format {
    /// By extension: `.tsv` and `.txt`, `.csv`, `.jsonl`, `.ndjson` and `.json`, in any case.
    ///
    /// # Errors
    /// For any other extension.
    pub fn from_path(path: &Path) -> Result<Self, ReadError> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("tsv" | "txt") => Ok(Self::Tsv),
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson" | "json") => Ok(Self::JsonLines),
            _ => Err(ReadError::UnknownFormat {
                path: path.to_owned(),
            }),
        }
    }
}

/// A column, by the name in the header (or the JSON key) or by its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// As the header has it.
    Name(String),
    /// Counted from 0.
    Index(usize),
}

/// Digits alone are an index, all else is a name.
impl FromStr for Column {
    type Err = std::convert::Infallible;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(match word.parse() {
            Ok(index) => Self::Index(index),
            Err(_) => Self::Name(word.to_owned()),
        })
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?}"),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnRole {
    /// The text, or the first of a pair.
    Text,
    /// The second text of a pair.
    TextPair,
    /// The label.
    Label,
    /// What says which rows are wanted.
    Filter,
}

impl fmt::Display for ColumnRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::TextPair => "text_pair",
            Self::Label => "label",
            Self::Filter => "filter",
        })
    }
}

/// What is known about a file beforehand. The default knows nothing and guesses as described at
/// [`Dataset::read`](crate::Dataset::read).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnOptions {
    /// `None`: by extension.
    pub format: Option<Format>,
    /// Where the text is.
    pub text: Option<Column>,
    /// Where the second text is. When `text` is given and this is not, there is no second text.
    pub text_pair: Option<Column>,
    /// Where the label is.
    pub label: Option<Column>,
    /// Whether the first line names the columns; `None`: look at it. Of no meaning for JSON Lines.
    pub header: Option<bool>,
    /// Between the columns of TSV and CSV, when it is not the tab or the comma.
    pub delimiter: Option<u8>,
    /// Between the class names within a label of TSV and CSV, for multi-label data: every label is then a list, and an
    /// empty one means that no class applies.
    pub label_separator: Option<String>,
    /// The file has no labels, or they are not wanted: the label column is not looked for.
    pub unlabelled: bool,
    /// Which rows are wanted: those that pass every filter. For a file that holds all splits.
    pub filters: Vec<RowFilter>,
}
