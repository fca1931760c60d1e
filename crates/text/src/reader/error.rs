//! What can go wrong with a file of rows.

use std::path::PathBuf;

use super::ColumnRole;

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
    /// A directory stands where a file was expected.
    #[error("{path}: is a directory; name a file in it", path = .path.display())]
    IsDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The extension does not say which format the file has.
    #[error(
        "{path}: the extension does not tell the format; use .tsv, .txt, .csv, .jsonl, .ndjson or .json, \
         or name the format",
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
        "{path}, line {line}: {found} columns, expected {expected} as on the first line; correct the line, \
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
    #[error("{path}: {role} column {index} is an index, but JSON Lines has keys; give a key", path = .path.display())]
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
    #[error("{path}, line {line}: the label is empty; every row needs one", path = .path.display())]
    EmptyLabel {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
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
        "{path}, line {line}: {found} columns, expected {expected} as on the first line with a word",
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
    /// A line that is no JSON object of words and their tags.
    #[error(
        "{path}, line {line}: not a JSON object with \"tokens\" and \"ner_tags\", lists of strings; tags are names, not ids",
        path = .path.display()
    )]
    TaggedJson {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Where and why parsing stopped.
        source: serde_json::Error,
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
    /// A line of prediction input that starts like a JSON object and is none with the keys it needs.
    #[error(
        "{path}, line {line}: starts with '{{' but is not a JSON object with {keys}; a plain text that starts with '{{' \
         has to be written as JSON too",
        path = .path.display()
    )]
    PredictJson {
        /// The input.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The keys, in words.
        keys: &'static str,
        /// Where and why parsing stopped.
        source: serde_json::Error,
    },
    /// A line of prediction input that is plain text where an object is needed.
    #[error("{path}, line {line}: is not a JSON object; expected one with {keys}", path = .path.display())]
    PredictPlain {
        /// The input.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The keys, in words.
        keys: &'static str,
    },
}
