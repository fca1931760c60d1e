//! What a caller may say about a file of rows.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::unpack::Packing;
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
    /// Apache Parquet; needs the feature `columnar`.
    Parquet,
    /// Apache Arrow's IPC format, the file or the stream; needs the feature `columnar`.
    Arrow,
}

impl Format {
    /// By extension: `.tsv` and `.txt`, `.csv`, `.jsonl`, `.ndjson` and `.json`, `.parquet`, `.arrow` and `.feather`, in any
    /// case, and with `.gz`, `.zst` or the like behind them.
    ///
    /// # Errors
    /// For any other extension.
    pub fn from_path(path: &Path) -> Result<Self, ReadError> {
        let without = Packing::promised(path).map(|_| path.with_extension(""));
        let known = Self::of_extension(without.as_deref().unwrap_or(path));
        known.ok_or_else(|| ReadError::UnknownFormat {
            path: path.to_owned(),
        })
    }

    pub(crate) fn of_extension(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_ascii_lowercase();
        match extension.to_str()? {
            "tsv" | "txt" => Some(Self::Tsv),
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "parquet" => Some(Self::Parquet),
            "arrow" | "feather" => Some(Self::Arrow),
            _ => None,
        }
    }

    /// By the first bytes, for a file without a telling name.
    pub(crate) fn of_content(first_bytes: &[u8]) -> Option<Self> {
        let text = first_bytes.strip_prefix("\u{feff}".as_bytes());
        match text.unwrap_or(first_bytes).trim_ascii_start() {
            [b'P', b'A', b'R', b'1', ..] => Some(Self::Parquet),
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [0xff, 0xff, 0xff, 0xff, ..] => {
                Some(Self::Arrow)
            }
            [b'{', ..] => Some(Self::JsonLines),
            _ => None,
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
    /// The words of a sentence.
    Tokens,
    /// The tags of its words.
    Tags,
}

impl fmt::Display for ColumnRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::TextPair => "text_pair",
            Self::Label => "label",
            Self::Filter => "filter",
            Self::Tokens => "tokens",
            Self::Tags => "tags",
        })
    }
}

/// What lists of labels hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LabelLists {
    /// Lists of one length, 2 or more, that hold only 0 and 1, with a row among them that repeats a value, are multi-hot;
    /// all else are classes.
    #[default]
    Auto,
    /// The classes that apply, by name or id.
    Classes,
    /// For each class a 1 if it applies, else a 0.
    MultiHot,
}

/// Which rows have no label and are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Unlabelled {
    /// Those with −1 where labels are ids: the names of the classes are known, or all labels are integers and 0 is among
    /// them. Hub data sets are written so.
    #[default]
    Auto,
    /// None: every label is one.
    None,
    /// Those with this label.
    Label(String),
}

/// `auto`, `none`, or a label.
impl FromStr for Unlabelled {
    type Err = std::convert::Infallible;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(match word {
            "auto" => Self::Auto,
            "none" => Self::None,
            label => Self::Label(label.to_owned()),
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
    /// Whether the first line names the columns; `None`: look at it. Of no meaning where columns always have names.
    pub header: Option<bool>,
    /// Between the columns of TSV and CSV, when it is not the tab or the comma.
    pub delimiter: Option<u8>,
    /// Between the class names within a label of TSV and CSV, for multi-label data: every label is then a list, and an
    /// empty one means that no class applies.
    pub label_separator: Option<String>,
    /// What lists of labels hold.
    pub label_lists: LabelLists,
    /// The names of the classes in the order of their ids, for data that has the ids. `None`: as the file's metadata says.
    pub label_names: Option<Vec<String>>,
    /// Which rows have no label.
    pub unlabelled_label: Unlabelled,
    /// The file has no labels, or they are not wanted: the label column is not looked for.
    pub unlabelled: bool,
    /// Which rows are wanted: those that pass every filter. For a file that holds all splits.
    pub filters: Vec<RowFilter>,
}
