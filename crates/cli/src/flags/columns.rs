//! How to read a file of rows.

use bert_text::{Column, ColumnOptions, Format, LabelLists, RowFilter, Unlabelled};
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(next_help_heading = "Data files")]
pub(crate) struct ColumnFlags {
    /// Column of the text, by name or index from 0; by default the one with a usual name (text, sentence1, premise, …), and
    /// in a file without a header the first
    #[arg(long, value_name = "COLUMN")]
    text_column: Option<Column>,
    /// Column of the second text of a pair; by default the one with a usual name (text_pair, sentence2, hypothesis, …), and
    /// in a file of three columns without a header the second
    #[arg(long, value_name = "COLUMN")]
    pair_column: Option<Column>,
    /// Column of the label; by default the one with a usual name (label, class, score, …), and in a file without a header
    /// the last of two or three
    #[arg(long, value_name = "COLUMN")]
    label_column: Option<Column>,
    /// Whether the first line names the columns; auto: it does when one of its cells is a usual column name
    #[arg(long, value_enum, default_value_t = Header::Auto)]
    header: Header,
    /// Format of the file; by default the one that its extension means (TSV: .tsv, .txt; CSV: .csv; JSON Lines: .jsonl,
    /// .ndjson, .json; Parquet: .parquet; Arrow: .arrow, .feather), with .gz, .zst or .zip behind it or not
    #[arg(long, value_enum)]
    format: Option<FormatWord>,
    /// Character between columns; by default the tab in TSV and the comma in CSV
    #[arg(long, value_name = "CHARACTER", value_parser = ascii_character)]
    delimiter: Option<u8>,
    /// Text between the classes of a row that has several, in TSV and CSV; by default a label is one class. JSON Lines has
    /// lists instead
    #[arg(long, value_name = "TEXT")]
    label_separator: Option<String>,
    /// What lists of labels hold: classes, or multi-hot, a 0 or 1 for each class; auto: lists of one length that hold only 0
    /// and 1, with a row that repeats one of them, are multi-hot
    #[arg(long, value_enum, default_value_t = LabelListsWord::Auto)]
    label_lists: LabelListsWord,
    /// Names of the classes in the order of their ids, separated by commas, for data that has ids or multi-hot lists; by
    /// default those in the metadata of Parquet, Arrow or dataset_info.json, if there are any
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    label_names: Vec<String>,
    /// Label of the rows that have none and are left out; auto: -1 where classes are ids; none: every label is one
    #[arg(
        long,
        value_name = "LABEL",
        default_value = "auto",
        allow_hyphen_values = true
    )]
    unlabelled: Unlabelled,
    /// Of every file, read only the rows with this value in this column. May be given more than once: a row has to pass
    /// every filter
    #[arg(long, value_name = "COLUMN=VALUE")]
    filter: Vec<RowFilter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Header {
    Auto,
    Yes,
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatWord {
    Tsv,
    Csv,
    Jsonl,
    Parquet,
    Arrow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LabelListsWord {
    Auto,
    Classes,
    MultiHot,
}

impl Header {
    /// Whether there is one; `None`: look.
    pub(super) fn answer(self) -> Option<bool> {
        match self {
            Self::Auto => None,
            Self::Yes => Some(true),
            Self::No => Some(false),
        }
    }
}

impl ColumnFlags {
    pub(crate) fn options(&self) -> ColumnOptions {
        ColumnOptions {
            format: self.format.map(|word| match word {
                FormatWord::Tsv => Format::Tsv,
                FormatWord::Csv => Format::Csv,
                FormatWord::Jsonl => Format::JsonLines,
                FormatWord::Parquet => Format::Parquet,
                FormatWord::Arrow => Format::Arrow,
            }),
            text: self.text_column.clone(),
            text_pair: self.pair_column.clone(),
            label: self.label_column.clone(),
            header: self.header.answer(),
            delimiter: self.delimiter,
            label_separator: self.label_separator.clone(),
            label_lists: match self.label_lists {
                LabelListsWord::Auto => LabelLists::Auto,
                LabelListsWord::Classes => LabelLists::Classes,
                LabelListsWord::MultiHot => LabelLists::MultiHot,
            },
            label_names: names(&self.label_names),
            unlabelled_label: self.unlabelled.clone(),
            unlabelled: false,
            filters: self.filter.clone(),
        }
    }
}

/// The names of `--label-names`, if there are any.
pub(crate) fn names(words: &[String]) -> Option<Vec<String>> {
    let names = words.iter().map(|name| name.trim().to_owned());
    (!words.is_empty()).then(|| names.collect())
}

pub(super) fn ascii_character(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        b"\\t" => Ok(b'\t'),
        _ => Err("expected one ASCII character, or \\t for the tab".to_owned()),
    }
}
