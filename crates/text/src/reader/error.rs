//! What can go wrong with a file of rows.

use std::path::PathBuf;

use super::{ColumnRole, UnpackError};
use crate::PredictError;

/// A file of rows that cannot be read. The underlying cause, where there is one, is the error's `source` and not
/// repeated in the message. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("{path}: cannot be read", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A compressed file cannot be unpacked.
    #[error("{path}: {source}", path = .path.display())]
    Unpack {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: UnpackError,
    },
    /// A pattern of file names that names none.
    #[error("{pattern}: {reason}; name files, or a pattern such as 'part-*.tsv'")]
    NoFile {
        /// The pattern.
        pattern: String,
        /// Why it names none.
        reason: String,
    },
    /// A directory stands where a file was expected.
    #[error("{path}: is a directory; name a file in it", path = .path.display())]
    IsDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The extension does not say which format the file has.
    #[error(
        "{path}: the extension does not tell the format; use .tsv, .txt, .csv, .jsonl, .ndjson, .json, .parquet, .arrow or \
         .feather, or name the format with --format",
        path = .path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// No row at all, or a header alone.
    #[error("{path}: holds no rows{}; expected at least one", if *.header { " below its header" } else { "" }, path = .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// Whether there is a header.
        header: bool,
    },
    /// Filters that no row passes.
    #[error(
        "{path}: no row has {filters}; {rows} rows have {} there",
        .instead.join(", "),
        path = .path.display()
    )]
    NoMatch {
        /// The file.
        path: PathBuf,
        /// The filters, in words.
        filters: String,
        /// How many rows were left out.
        rows: usize,
        /// What they have instead, the first few.
        instead: Vec<String>,
    },
    /// Bytes that are not UTF-8.
    #[error("{path}, line {line}: invalid UTF-8; convert the file to UTF-8", path = .path.display())]
    InvalidUtf8 {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// A row that is shorter or longer than the first one.
    #[error(
        "{path}, line {line}: expected {expected} columns as on the first line, found {found}; correct the line, \
         or name the delimiter or format if the file has another",
        path = .path.display()
    )]
    ColumnCount {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Columns of the first line.
        expected: usize,
        /// Columns of this line.
        found: usize,
    },
    /// A column that was asked for by name is not there.
    #[error(
        "{path}, line {line}: no {role} column {name:?}; the columns are {}",
        .columns.join(", "),
        path = .path.display()
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What the column was to hold.
        role: ColumnRole,
        /// The name asked for.
        name: String,
        /// The names there are.
        columns: Vec<String>,
    },
    /// A column that was asked for by index is not there.
    #[error(
        "{path}: no {role} column {index}; the first line has {columns} columns, counted from 0",
        path = .path.display()
    )]
    ColumnIndex {
        /// The file.
        path: PathBuf,
        /// What the column was to hold.
        role: ColumnRole,
        /// The index asked for.
        index: usize,
        /// Columns of the first line.
        columns: usize,
    },
    /// No column was named and none has a usual name.
    #[error(
        "{path}, line {line}: which column is the {role}? It has none of the usual names; name one of {}",
        .columns.join(", "),
        path = .path.display()
    )]
    UnknownColumn {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What the column was to hold.
        role: ColumnRole,
        /// The names there are.
        columns: Vec<String>,
    },
    /// No column was named and a headerless file has too many or too few to guess.
    #[error(
        "{path}: {columns} columns without a header: {expected}; name the columns by index, counted from 0, \
         or say that there is a header",
        path = .path.display()
    )]
    UnknownLayout {
        /// The file.
        path: PathBuf,
        /// Columns of the first line.
        columns: usize,
        /// What a file without a header may look like.
        expected: &'static str,
    },
    /// A column was named in a file that is said to have no header.
    #[error(
        "{path}: {role} column {name:?} is a name, but the file is said to have no header; give its index, counted from 0",
        path = .path.display()
    )]
    NameWithoutHeader {
        /// The file.
        path: PathBuf,
        /// What the column was to hold.
        role: ColumnRole,
        /// The name asked for.
        name: String,
    },
    /// A column was given by index in a format whose columns have only names.
    #[error("{path}: {role} column {index} is an index, but the columns of JSON Lines, Parquet and Arrow have names; give a name", path = .path.display())]
    IndexInJson {
        /// The file.
        path: PathBuf,
        /// What the column was to hold.
        role: ColumnRole,
        /// The index asked for.
        index: usize,
    },
    /// Two roles were given to one column.
    #[error("{path}: {first} and {second} are both column {column}; name two columns", path = .path.display())]
    SameColumn {
        /// The file.
        path: PathBuf,
        /// One role.
        first: ColumnRole,
        /// The other.
        second: ColumnRole,
        /// The column, as it was given.
        column: String,
    },
    /// A row whose label is empty or null.
    #[error(
        "{path}, line {line}: the label is empty; every row needs one ({labelled} of {rows} have {})",
        if *.are_numbers { "a number" } else { "a label" },
        path = .path.display()
    )]
    EmptyLabel {
        /// The file.
        path: PathBuf,
        /// The first such line.
        line: usize,
        /// Rows with a label.
        labelled: usize,
        /// All rows.
        rows: usize,
        /// Whether all other labels are numbers.
        are_numbers: bool,
    },
    /// A first line that was taken for a row, whose label is no number where all others are.
    #[error(
        "{path}, line {line}: is probably a header: its label is {label:?}, and all others are numbers; if it is one, give \
         {flags}; if it is a row, give --header no",
        path = .path.display()
    )]
    ProbableHeader {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Its label.
        label: String,
        /// The flags that read it as a header.
        flags: String,
    },
    /// Lists that may be two zeros or ones, or the ids of two classes.
    #[error(
        "{path}, line {line}: the label is a list of two numbers, 0 and 1, as in all rows: say with --label-lists multi-hot \
         that there is one number a class, or with --label-lists classes that they are ids",
        path = .path.display()
    )]
    AmbiguousLists {
        /// The file.
        path: PathBuf,
        /// The first line.
        line: usize,
    },
    /// Multi-hot lists of different lengths.
    #[error(
        "{path}, line {line}: the label is a list of {found}, but that of the first row one of {expected}: lists of zeros and \
         ones have one number a class; if they are ids, give --label-lists classes",
        path = .path.display()
    )]
    UnevenLists {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Its length.
        found: usize,
        /// The length of the first list.
        expected: usize,
    },
    /// A list that is not of zeros and ones where multi-hot lists were asked for.
    #[error("{path}, line {line}: the label is no list of zeros and ones, as --label-lists multi-hot says", path = .path.display())]
    NotMultiHot {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// More or fewer names than a multi-hot list has numbers.
    #[error("{path}: {names} names for {classes} classes; --label-names needs one name a class", path = .path.display())]
    NameCount {
        /// The file.
        path: PathBuf,
        /// Names given.
        names: usize,
        /// Numbers of a list.
        classes: usize,
    },
    /// A label that is neither the id nor the name of a class.
    #[error(
        "{path}, line {line}: the label {label:?} is neither the name of a class nor an id from 0 to {}; the names are {}",
        .names.len().saturating_sub(1),
        .names.join(", "),
        path = .path.display()
    )]
    UnknownId {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The label.
        label: String,
        /// The names, in id order.
        names: Vec<String>,
    },
    /// Files of one data set whose metadata name the classes differently.
    #[error("{path}: its metadata name the classes differently than {first}; files that are read together need the same names", path = .path.display(), first = .first.display())]
    OtherNames {
        /// The first file.
        first: PathBuf,
        /// The one that differs.
        path: PathBuf,
    },
    /// No row has a label, by its own account.
    #[error("{path}: every label is {label:?}, which means unlabelled; name a file with labels, or give --unlabelled none if it is a class", path = .path.display())]
    AllUnlabelled {
        /// The file.
        path: PathBuf,
        /// The label.
        label: String,
    },
    /// A Parquet or Arrow file that cannot be read.
    #[error("{path}: not a {format} file that can be read", path = .path.display())]
    Columnar {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: &'static str,
        /// The library's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A column of Parquet or Arrow that holds something else than text, numbers and lists of them.
    #[error(
        "{path}: column {column:?} is of type {found}; expected strings, numbers, booleans or lists of them",
        path = .path.display()
    )]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// Parquet or Arrow in a build without the readers.
    #[error("{path}: this build reads no Parquet and no Arrow; build it with the feature `columnar`", path = .path.display())]
    NoColumnar {
        /// The file.
        path: PathBuf,
    },
    /// A quoted CSV field that is never closed.
    #[error(
        "{path}, line {line}: a quoted field starts here and is never closed; double the quotes inside a field, \
         or name the format tsv if quotes are plain characters",
        path = .path.display()
    )]
    UnclosedQuote {
        /// The file.
        path: PathBuf,
        /// The line on which the record starts.
        line: usize,
    },
    /// The CSV library refused a record.
    #[error("{path}, line {line}: not valid CSV", path = .path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The library's reason.
        source: csv::Error,
    },
    /// A line that is not JSON, or not an object.
    #[error("{path}, line {line}: not a JSON object; expected one object a line", path = .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Where and why parsing stopped.
        source: serde_json::Error,
    },
    /// A JSON value of a kind that makes no sense under its key.
    #[error("{path}, line {line}: {key:?} is {found}; expected {expected}", path = .path.display())]
    JsonKind {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The key.
        key: String,
        /// The kinds that make sense.
        expected: &'static str,
        /// The kind that is there.
        found: &'static str,
    },
    /// A line of a CoNLL file that has no word.
    #[error("{path}, line {line}: no word in column {column} (counted from 0); every line has a word and its tag", path = .path.display())]
    MissingWord {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The column looked in.
        column: usize,
    },
    /// A line of a CoNLL file that has a word and no tag.
    #[error(
        "{path}, line {line}: no tag for the word {word:?} in column {column} (counted from 0; columns are separated by \
         {separator}, as on the first line); every word needs one",
        path = .path.display()
    )]
    MissingTag {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The word.
        word: String,
        /// The column looked in.
        column: usize,
        /// What separates the file's columns.
        separator: &'static str,
    },
    /// A line of a CoNLL file with more or fewer columns than the first one.
    #[error(
        "{path}, line {line}: expected {expected} columns as on the first line with a word, found {found}",
        path = .path.display()
    )]
    WordColumns {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Columns of the first line.
        expected: usize,
        /// Columns of this line.
        found: usize,
    },
    /// Tags that are ids, of which nobody says what they mean.
    #[error(
        "{path}, line {line}: the tags are ids; expected names, not ids, or --label-names with the names of all tags in the \
         order of their ids, as in --label-names O,B-PER,I-PER",
        path = .path.display()
    )]
    TagIds {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// A JSON object with more or fewer tags than words.
    #[error("{path}, line {line}: {words} tokens but {tags} tags; every token needs one", path = .path.display())]
    TagCount {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Number of words.
        words: usize,
        /// Number of tags.
        tags: usize,
    },
    /// A JSON object with a tag that is empty.
    #[error("{path}, line {line}: tag {index} (counted from 0) is empty; every token needs one", path = .path.display())]
    EmptyTag {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Position of the tag.
        index: usize,
    },
    /// A line or row of prediction input that is none.
    #[error("{path}, line {line}: {source}", path = .path.display())]
    Predict {
        /// The input.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong with it.
        source: PredictError,
    },
    /// Columns were named, or a format of rows, for an input that has lines of text.
    #[error("{path}: has no columns that are known; name its format with --input-format", path = .path.display())]
    NoColumns {
        /// The input.
        path: PathBuf,
    },
    /// A file of rows that has not the columns of an input.
    #[error(
        "{path}, line {line}: no columns for {keys}; the columns are {}; name the text's with --text-column, and that of a \
         second text with --pair-column",
        .columns.join(", "),
        path = .path.display()
    )]
    InputColumns {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The keys of the input, in words.
        keys: &'static str,
        /// The columns there are.
        columns: Vec<String>,
    },
}
