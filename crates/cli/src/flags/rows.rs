//! How to read the inputs of predictions.

use bert_text::{Column, ColumnOptions, Format, InputFormat};
use clap::{Args, ValueEnum};

use super::columns::{Header, ascii_character};

#[derive(Debug, Args)]
#[command(next_help_heading = "Data files")]
pub(crate) struct RowFlags {
    /// How the inputs are written; lines: plain text or a JSON object a line; the others: a row each. By default what the
    /// extension means: .tsv, .csv, .parquet, .arrow and .feather are rows, all else is lines
    #[arg(long, value_enum)]
    input_format: Option<InputWord>,
    /// Column of the text in a file of rows or in JSON objects, by name or index from 0; by default the one with a usual name
    /// (text, sentence1, premise, …), or the only one
    #[arg(long, value_name = "COLUMN")]
    text_column: Option<Column>,
    /// Column of the second text of a pair; by default the one with a usual name (text_pair, sentence2, hypothesis, …)
    #[arg(long, value_name = "COLUMN", requires = "text_column")]
    pair_column: Option<Column>,
    /// Whether the first row of TSV and CSV names the columns; auto: it does when one of its cells is a usual column name
    #[arg(long, value_enum, default_value_t = Header::Auto)]
    header: Header,
    /// Character between the columns of TSV and CSV; by default the tab and the comma
    #[arg(long, value_name = "CHARACTER", value_parser = ascii_character)]
    delimiter: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InputWord {
    Lines,
    Tsv,
    Csv,
    Jsonl,
    Parquet,
    Arrow,
}

impl RowFlags {
    /// The format, if it is given.
    pub(crate) fn format(&self) -> Option<InputFormat> {
        let format = match self.input_format? {
            InputWord::Lines => return Some(InputFormat::Lines),
            InputWord::Tsv => Format::Tsv,
            InputWord::Csv => Format::Csv,
            InputWord::Jsonl => Format::JsonLines,
            InputWord::Parquet => Format::Parquet,
            InputWord::Arrow => Format::Arrow,
        };
        Some(InputFormat::Rows(format))
    }

    /// The columns.
    pub(crate) fn options(&self) -> ColumnOptions {
        ColumnOptions {
            text: self.text_column.clone(),
            text_pair: self.pair_column.clone(),
            header: self.header.answer(),
            delimiter: self.delimiter,
            unlabelled: true,
            ..ColumnOptions::default()
        }
    }
}
