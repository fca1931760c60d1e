//! Rows of columns: TSV and CSV.

use std::path::Path;

use csv::StringRecord;

use super::columns::{
    Columns, among_indices, among_names, filtered_indices, filtered_names, is_header,
};
use super::header::FirstRow;
use super::label::{self, NoLabel};
use super::rows::{Collector, FileRows};
use super::source::numbered_lines;
use super::{ColumnOptions, ReadError};
use crate::Label;

/// TSV as GLUE has it: every delimiter ends a column, nothing is quoted.
pub(super) fn read_tsv(
    path: &Path,
    content: &str,
    options: &ColumnOptions,
) -> Result<FileRows, ReadError> {
    let delimiter = char::from(options.delimiter.unwrap_or(b'\t'));
    let mut rows = Rows::new(path, options);
    for (line, text) in numbered_lines(content) {
        let cells: Vec<&str> = text.split(delimiter).collect();
        rows.push(line, &cells)?;
    }
    rows.finish()
}

/// CSV as RFC 4180 has it.
pub(super) fn read_csv(
    path: &Path,
    content: &str,
    options: &ColumnOptions,
) -> Result<FileRows, ReadError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(options.delimiter.unwrap_or(b','))
        .from_reader(content.as_bytes());
    let mut rows = Rows::new(path, options);
    let mut record = StringRecord::new();
    loop {
        let (start, line) = record_start(reader.position(), content);
        let more = reader
            .read_record(&mut record)
            .map_err(|source| ReadError::Csv {
                path: path.to_owned(),
                line,
                source,
            })?;
        if !more {
            return rows.finish();
        }
        let (end, _) = record_start(reader.position(), content);
        if end == content.len() {
            check_quotes(path, line, &content[start..])?;
        }
        let cells: Vec<&str> = record.iter().collect();
        if !matches!(cells[..], [cell] if cell.trim().is_empty()) {
            rows.push(line, &cells)?;
        }
    }
}

/// The byte and the line of the next record: the library's position is before the blank lines it will skip, and may be
/// between the two bytes of a CRLF.
fn record_start(position: &csv::Position, content: &str) -> (usize, usize) {
    let byte = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = content.get(byte..).unwrap_or_default();
    let line_ends = rest
        .bytes()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let (bytes, lines) = line_ends.fold((0, 0), |(bytes, lines), byte| {
        (bytes + 1, lines + usize::from(byte == b'\n'))
    });
    let line = usize::try_from(position.line()).unwrap_or(usize::MAX);
    (content.len() - rest.len() + bytes, line + lines)
}

/// The library takes the end of the file for a closing quote, which would swallow every row after a stray one.
pub(super) fn check_quotes(path: &Path, line: usize, last_record: &str) -> Result<(), ReadError> {
    let is_open = last_record.matches('"').count() % 2 == 1;
    if is_open && last_record.trim().contains('\n') {
        return Err(ReadError::UnclosedQuote {
            path: path.to_owned(),
            line,
        });
    }
    Ok(())
}

/// Turns rows of cells into examples; the first row settles the layout.
struct Rows<'a> {
    path: &'a Path,
    options: &'a ColumnOptions,
    layout: Option<Layout>,
    /// The columns of the filters.
    filtered: Vec<usize>,
    /// The first row, where nobody says whether it is a header and it does not look like one.
    first_row: Option<FirstRow>,
    label_column: Option<String>,
    collector: Collector<'a>,
}

#[derive(Clone, Copy)]
struct Layout {
    columns: Columns,
    column_count: usize,
}

impl<'a> Rows<'a> {
    fn new(path: &'a Path, options: &'a ColumnOptions) -> Self {
        Self {
            path,
            options,
            layout: None,
            filtered: Vec::new(),
            first_row: None,
            label_column: None,
            collector: Collector::new(path, options),
        }
    }

    fn push(&mut self, line: usize, cells: &[&str]) -> Result<(), ReadError> {
        let layout = match self.layout {
            Some(layout) => layout,
            None => {
                let (layout, is_header) = self.settle_layout(line, cells)?;
                self.layout = Some(layout);
                if is_header {
                    return Ok(());
                }
                layout
            }
        };
        if cells.len() != layout.column_count {
            return Err(ReadError::ColumnCount {
                path: self.path.to_owned(),
                line,
                expected: layout.column_count,
                found: cells.len(),
            });
        }
        let values = self.filtered.iter().map(|&index| cells[index]);
        if !self.collector.filters().keep(values) {
            return Ok(());
        }
        let columns = layout.columns;
        let text_pair = columns.text_pair.map(|index| cells[index].to_owned());
        let label = columns.label.map(|index| self.label(cells[index]));
        self.collector
            .push(line, cells[columns.text].to_owned(), text_pair, label);
        Ok(())
    }

    fn settle_layout(&mut self, line: usize, cells: &[&str]) -> Result<(Layout, bool), ReadError> {
        let names: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
        let is_header = is_header(&names, self.options);
        let columns = match is_header {
            true => among_names(self.path, line, &names, self.options)?,
            false => among_indices(self.path, names.len(), self.options)?,
        };
        self.filtered = match is_header {
            true => filtered_names(self.path, line, &names, self.options)?,
            false => filtered_indices(self.path, names.len(), self.options)?,
        };
        if is_header {
            self.label_column = columns.label.map(|index| names[index].to_owned());
        } else if self.options.header.is_none() {
            self.first_row = FirstRow::of(line, &names, &columns);
        }
        let layout = Layout {
            columns,
            column_count: cells.len(),
        };
        Ok((layout, is_header))
    }

    fn label(&self, cell: &str) -> Result<Label, NoLabel> {
        let Some(separator) = &self.options.label_separator else {
            return label::of_text(cell);
        };
        let names = cell.split(separator.as_str()).map(str::trim);
        let names = names.filter(|name| !name.is_empty());
        let names = names.flat_map(|name| match label::of_text(name) {
            Ok(label) => label.class_names().into_iter().map(Into::into).collect(),
            Err(_) => Vec::new(),
        });
        Ok(Label::Names(names.collect()))
    }

    fn finish(self) -> Result<FileRows, ReadError> {
        let examples = self.collector.finish(self.layout.is_some())?;
        let note = match &self.first_row {
            Some(row) => row.check(self.path, &examples)?,
            None => None,
        };
        Ok(FileRows {
            examples,
            label_column: self.label_column,
            notes: note.into_iter().collect(),
            ..FileRows::default()
        })
    }
}
