//! Data files as rows.

#[cfg(feature = "columnar")]
mod arrow_frames;
#[cfg(feature = "columnar")]
mod arrow_messages;
#[cfg(feature = "columnar")]
mod cells;
#[cfg(feature = "columnar")]
mod columnar;
mod columns;
mod conll;
mod delimited;
mod error;
mod features;
mod files;
mod filter;
mod header;
mod json_lines;
mod label;
mod lines;
mod note;
mod of_line;
mod options;
mod rows;
mod settle;
mod source;
mod stream;
mod tagged;
mod unpack;

use std::path::{Path, PathBuf};

#[cfg(feature = "columnar")]
pub(crate) use columnar::Table;
pub use error::ReadError;
pub use files::matching_files;
pub use filter::RowFilter;
pub(crate) use label::normalized;
pub(crate) use lines::Lines;
pub use note::ReadNote;
pub(crate) use note::together;
pub use options::{Column, ColumnOptions, ColumnRole, Format, LabelLists, Unlabelled};
pub(crate) use source::{Source, decode_utf8, name_of, numbered_lines, read_error};
pub(crate) use stream::RowStream;
pub use tagged::TagColumns;
pub use unpack::UnpackError;

use crate::Dataset;
use rows::FileRows;
use settle::{KnownNames, settle};

impl Dataset {
    /// Reads a UTF-8 file, compressed or not, or standard input for `-`. A byte-order mark, CRLF line ends and blank lines
    /// are tolerated.
    ///
    /// What `options` leaves open is guessed:
    /// - the format, from the extension ([`Format::from_path`]), and for standard input from the first bytes;
    /// - the header: a first line is one when a cell is a usual column name, or when `options` gives a column by name;
    /// - among names (a header, the keys of each JSON object, or the columns of Parquet and Arrow; in any case of letters)
    ///   the texts are the first of
    ///   `text` + `text_pair`, `sentence1` + `sentence2`, `sentence_A` + `sentence_B`, `premise` + `hypothesis`,
    ///   `question1` + `question2`, `question` + `sentence`, `#1 String` + `#2 String`, `text`, `sentence`, `review`,
    ///   `document`, `content`, `tweet`; the label is the first of `label`, `labels`, `gold_label`,
    ///   `entailment_label`, `entailment_judgment`, `class`, `category`, `target`, `sentiment`, `score`, `is_duplicate`,
    ///   `quality`;
    /// - without names two columns are text and label, three are text, second text and label.
    ///
    /// Labels lose surrounding white space and are in composed form (NFC), texts stay as they are. Every format has one rule
    /// for labels: a string is a class; so is an integer, or a number with a fraction of zero, which is that integer; `true`
    /// and `false` are classes; any other number is a score; a list holds classes. A second text that is `null`, or not
    /// there and not asked for by name, is none. Rows that a filter of `options` leaves out need no label.
    ///
    /// Lists of zeros and ones ([`LabelLists`]), rows without a label ([`Unlabelled`]) and names of ids
    /// ([`ColumnOptions::label_names`]) are settled when all rows are known. Names come from the metadata of a hub data set,
    /// too: that of Parquet and Arrow files, or `dataset_info.json` beside the file.
    ///
    /// # Errors
    /// A file that cannot be read or unpacked, is empty, or is not UTF-8; a column that is not there or cannot be guessed; a
    /// row with another number of columns than the first line, without a label, or with broken quotes or JSON; a first line
    /// that can only be a header; labels that have two meanings. The message has file and line.
    pub fn read(path: &Path, options: &ColumnOptions) -> Result<Self, ReadError> {
        Self::read_files(&[path.to_owned()], options)
    }

    /// Reads several files as one, in their order. Their labels mean the same: they are settled together.
    ///
    /// # Errors
    /// As [`read`](Self::read); no file at all; files whose metadata have different names for the classes.
    pub fn read_files(paths: &[PathBuf], options: &ColumnOptions) -> Result<Self, ReadError> {
        let names: Vec<PathBuf> = paths.iter().map(|path| name_of(path)).collect();
        let mut dataset = Self::new(together(&names), Vec::new());
        let mut found = None;
        for path in paths {
            let file = read_file(path, options)?;
            same_names(&mut found, file.class_names)?;
            dataset.examples.extend(file.examples);
            dataset.notes.extend(file.notes);
        }
        if dataset.examples.is_empty() {
            return Err(ReadError::Empty {
                path: dataset.path,
                header: false,
            });
        }
        let known = known_names(&options.label_names, found, &mut dataset.notes);
        settle(&mut dataset, options, known)?;
        Ok(dataset)
    }
}

/// Reads the rows of one file.
fn read_file(path: &Path, options: &ColumnOptions) -> Result<FileRows, ReadError> {
    let mut source = Source::open(path)?;
    let format = match options.format {
        Some(format) => format,
        None => format_of(path, &mut source)?,
    };
    let name = source.path.clone();
    let mut rows = match format {
        Format::Tsv => delimited::read_tsv(&name, &source.into_text()?, options)?,
        Format::Csv => delimited::read_csv(&name, &source.into_text()?, options)?,
        Format::JsonLines => json_lines::read(&name, &source.into_text()?, options)?,
        Format::Parquet | Format::Arrow => read_columnar(source, format, options)?,
    };
    if let (None, Some(column)) = (&rows.class_names, &rows.label_column) {
        rows.class_names = features::beside(path, column);
    }
    Ok(rows)
}

#[cfg(feature = "columnar")]
fn read_columnar(
    source: Source,
    format: Format,
    options: &ColumnOptions,
) -> Result<FileRows, ReadError> {
    let path = source.path.clone();
    let mut rows = rows::Objects::new(&path, options)?;
    let table = Table::open(source, format)?;
    let wanted = rows.wanted(&table.names())?;
    let features = table.features();
    table.rows(&wanted, |line, object| rows.push(line, &object))?;
    let mut rows = rows.finish()?;
    let column = rows.label_column.as_deref();
    let names = column.and_then(|column| features::class_names(&features?, column));
    rows.class_names = names.map(|names| (path, names));
    Ok(rows)
}

#[cfg(not(feature = "columnar"))]
fn read_columnar(
    source: Source,
    _format: Format,
    _options: &ColumnOptions,
) -> Result<FileRows, ReadError> {
    Err(ReadError::NoColumnar { path: source.path })
}

/// The format that a name tells, or, where the name tells nothing, the first bytes.
fn format_of(path: &Path, source: &mut Source) -> Result<Format, ReadError> {
    let known = Format::of_extension(&source.inner);
    let known = match known {
        Some(format) => Some(format),
        None if source::is_standard_input(path) => Format::of_content(source.first_bytes()?),
        None => None,
    };
    known.ok_or_else(|| ReadError::UnknownFormat {
        path: source.path.clone(),
    })
}

/// Makes sure that all files have the same names of classes.
fn same_names(
    found: &mut Option<(PathBuf, Vec<String>)>,
    further: Option<(PathBuf, Vec<String>)>,
) -> Result<(), ReadError> {
    match (found.as_ref(), further) {
        (Some((first, names)), Some((path, others))) if *names != others => {
            Err(ReadError::OtherNames {
                first: first.clone(),
                path,
            })
        }
        (None, further) => {
            *found = further;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The names of the classes: those that the caller gives, else those that the files have.
fn known_names(
    given: &Option<Vec<String>>,
    found: Option<(PathBuf, Vec<String>)>,
    notes: &mut Vec<ReadNote>,
) -> Option<KnownNames> {
    let (names, are_ids) = match (given, found) {
        (Some(names), _) => (names.clone(), false),
        (None, Some((path, names))) => {
            notes.push(ReadNote::NamesFrom {
                path,
                names: names.len(),
            });
            (names, true)
        }
        (None, None) => return None,
    };
    let names = names.iter().map(|name| normalized(name)).collect();
    Some(KnownNames { names, are_ids })
}
