//! How to read a file of rows.

use bert_text::{Column, ColumnOptions, Format, RowFilter};
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
    /// .ndjson, .json)
    #[arg(long, value_enum)]
    format: Option<FormatWord>,
    /// Character between columns; by default the tab in TSV and the comma in CSV
    #[arg(long, value_name = "CHARACTER", value_parser = ascii_character)]
    delimiter: Option<u8>,
    /// Text between the classes of a row that has several, in TSV and CSV; by default a label is one class. JSON Lines has
    /// lists instead
    #[arg(long, value_name = "TEXT")]
    label_separator: Option<String>,
    /// Of every file, read only the rows with this value in this column. May be given more than once: a row has to pass
    /// every filter
    #[arg(long, value_name = "COLUMN=VALUE")]
    filter: Vec<RowFilter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Header {
    Auto,
    Yes,
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatWord {
    Tsv,
    Csv,
    Jsonl,
}

impl ColumnFlags {
    pub(crate) fn options(&self) -> ColumnOptions {
        ColumnOptions {
            format: self.format.map(|word| match word {
                FormatWord::Tsv => Format::Tsv,
                FormatWord::Csv => Format::Csv,
                FormatWord::Jsonl => Format::JsonLines,
            }),
            text: self.text_column.clone(),
            text_pair: self.pair_column.clone(),
            label: self.label_column.clone(),
            header: match self.header {
                Header::Auto => None,
                Header::Yes => Some(true),
                Header::No => Some(false),
            },
            delimiter: self.delimiter,
            label_separator: self.label_separator.clone(),
            unlabelled: false,
            filters: self.filter.clone(),
        }
    }
}

fn ascii_character(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        b"\\t" => Ok(b'\t'),
        _ => Err("expected one ASCII character, or \\t for the tab".to_owned()),
    }
}
