//! TSV and CSV row by row.

use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, StringRecord};

use super::super::delimited::check_quotes;
use super::super::{ColumnOptions, Format, Lines, ReadError, Source, read_error};
use super::Wanted;

type Reader = Box<dyn BufRead + Send>;

/// A record of CSV that is longer than this, 16 MiB, is taken for a quote that is never closed.
const MOST_RECORD_BYTES: usize = 16 << 20;

/// Rows of as many cells as the first one has.
#[derive(Debug)]
pub(super) struct DelimitedRows {
    path: PathBuf,
    records: Records,
    /// The first row, where it is no header.
    first: Option<(usize, Vec<String>)>,
    column_count: usize,
    line: usize,
}

#[derive(Debug)]
enum Records {
    Tsv {
        lines: Lines<Reader>,
        delimiter: char,
    },
    Csv(Box<CsvRecords>),
}

impl DelimitedRows {
    /// Reads the first row, which settles the columns.
    pub(super) fn open(
        source: Source,
        format: Format,
        options: &ColumnOptions,
        wanted: &mut Wanted,
    ) -> Result<Self, ReadError> {
        let Source { path, reader, .. } = source;
        let mut records = match format {
            Format::Csv => {
                let delimiter = options.delimiter.unwrap_or(b',');
                Records::Csv(Box::new(CsvRecords::open(&path, reader, delimiter)?))
            }
            _ => Records::Tsv {
                lines: Lines::new(reader, &path),
                delimiter: char::from(options.delimiter.unwrap_or(b'\t')),
            },
        };
        let mut first = records.next()?;
        let column_count = first.as_ref().map_or(0, |(_, cells)| cells.len());
        if let Some((line, cells)) = &first
            && wanted.settle_first_row(*line, cells)?
        {
            first = None;
        }
        Ok(Self {
            path,
            records,
            first,
            column_count,
            line: 0,
        })
    }

    /// The line on which the last row began.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn next_row(&mut self) -> Result<Option<Vec<String>>, ReadError> {
        let row = match self.first.take() {
            Some(row) => Some(row),
            None => {
                let row = self.records.next();
                self.line = self.records.line();
                row?
            }
        };
        let Some((line, cells)) = row else {
            return Ok(None);
        };
        self.line = line;
        match cells.len() == self.column_count {
            true => Ok(Some(cells)),
            false => Err(ReadError::ColumnCount {
                path: self.path.clone(),
                line,
                expected: self.column_count,
                found: cells.len(),
            }),
        }
    }
}

impl Records {
    /// The next row that is not blank, and its line.
    fn next(&mut self) -> Result<Option<(usize, Vec<String>)>, ReadError> {
        match self {
            Self::Csv(records) => records.next(),
            Self::Tsv { lines, delimiter } => {
                let text = lines.next_filled()?;
                let cells = |text: String| text.split(*delimiter).map(str::to_owned).collect();
                Ok(text.map(|text| (lines.line(), cells(text))))
            }
        }
    }

    fn line(&self) -> usize {
        match self {
            Self::Csv(records) => records.line,
            Self::Tsv { lines, .. } => lines.line(),
        }
    }
}

/// CSV as RFC 4180 has it.
#[derive(Debug)]
struct CsvRecords {
    path: PathBuf,
    reader: csv::Reader<Remembered>,
    /// The line on which the last record began.
    line: usize,
    /// Whether something was wrong that leaves no next record.
    is_over: bool,
}

impl CsvRecords {
    fn open(path: &Path, mut source: Reader, delimiter: u8) -> Result<Self, ReadError> {
        let mark = "\u{feff}".as_bytes();
        let first_bytes = source.fill_buf().map_err(|error| read_error(path, error))?;
        if first_bytes.starts_with(mark) {
            source.consume(mark.len());
        }
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Remembered::new(source));
        Ok(Self {
            path: path.to_owned(),
            reader,
            line: 0,
            is_over: false,
        })
    }

    fn next(&mut self) -> Result<Option<(usize, Vec<String>)>, ReadError> {
        let mut record = ByteRecord::new();
        while !self.is_over {
            let start = self.reader.position().clone();
            self.reader.get_mut().forget_before(start.byte());
            let more = self.reader.read_byte_record(&mut record);
            let (line, text) = self.begun(&start);
            let is_last = self.reader.get_ref().ends_at(self.reader.position().byte());
            let quotes = match is_last {
                true => check_quotes(&self.path, line, &String::from_utf8_lossy(text)),
                false => Ok(()),
            };
            self.line = line;
            self.is_over = quotes.is_err() || !matches!(more, Ok(true));
            if !more.map_err(|error| self.refused(line, error))? {
                break;
            }
            quotes?;
            let record = StringRecord::from_byte_record(std::mem::take(&mut record));
            let record = record.map_err(|_| ReadError::InvalidUtf8 {
                path: self.path.clone(),
                line,
            })?;
            let cells: Vec<String> = record.iter().map(str::to_owned).collect();
            if !matches!(&cells[..], [cell] if cell.trim().is_empty()) {
                return Ok(Some((line, cells)));
            }
        }
        Ok(None)
    }

    /// The line of the record that began behind `start`, and what was read of it: the library's position is before the
    /// blank lines that it skips, and may be between the two bytes of a CRLF.
    fn begun(&self, start: &csv::Position) -> (usize, &[u8]) {
        let kept = &self.reader.get_ref().kept;
        let is_end = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let ends = kept.iter().take_while(is_end).count();
        let lines = kept[..ends].iter().filter(|&&byte| byte == b'\n').count();
        let line = usize::try_from(start.line()).unwrap_or(usize::MAX);
        (line + lines, &kept[ends..])
    }

    /// Whether a quote has no second one in what is kept of the record.
    fn has_open_quote(&self) -> bool {
        let kept = self.reader.get_ref().kept.iter();
        kept.filter(|&&byte| byte == b'"').count() % 2 == 1
    }

    fn refused(&self, line: usize, error: csv::Error) -> ReadError {
        let path = self.path.clone();
        match error.into_kind() {
            csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                match self.has_open_quote() {
                    true => ReadError::UnclosedQuote { path, line },
                    false => read_error(&path, too_long(line)),
                }
            }
            csv::ErrorKind::Io(error) => read_error(&path, error),
            kind => read_error(&path, io::Error::other(format!("{kind:?}"))),
        }
    }
}

fn too_long(line: usize) -> io::Error {
    io::Error::other(format!(
        "the record that starts on line {line} is longer than {} MiB",
        MOST_RECORD_BYTES >> 20
    ))
}

/// A reader that keeps what it has read since the current record began, so that a quote that is never closed is found.
struct Remembered {
    inner: Reader,
    kept: Vec<u8>,
    /// Where in the file the kept bytes begin.
    start: u64,
    is_at_end: bool,
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remembered")
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

impl Remembered {
    fn new(inner: Reader) -> Self {
        Self {
            inner,
            kept: Vec::new(),
            start: 0,
            is_at_end: false,
        }
    }

    fn forget_before(&mut self, byte: u64) {
        let known = usize::try_from(byte.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.kept.drain(..known.min(self.kept.len()));
        self.start = byte;
    }

    /// Whether the file ends at this byte.
    fn ends_at(&self, byte: u64) -> bool {
        self.is_at_end && self.start + self.kept.len() as u64 == byte
    }
}

impl Read for Remembered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.kept.len() > MOST_RECORD_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let count = self.inner.read(buffer)?;
        self.kept.extend_from_slice(&buffer[..count]);
        self.is_at_end |= count == 0;
        Ok(count)
    }
}
