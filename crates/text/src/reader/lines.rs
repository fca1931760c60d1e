//! The lines of a file one by one, so that an endless stream works too.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use super::{ReadError, read_error};

/// A line that is longer has no end: it is read no further. 64 MiB, four times the longest record of a CSV file.
const MOST_LINE_BYTES: u64 = 64 << 20;

/// Lines with their numbers.
pub(crate) struct Lines<R> {
    reader: R,
    path: PathBuf,
    line: usize,
    /// Behind an error of the file, not of a line, there is nothing more.
    failed: bool,
}

impl<R> fmt::Debug for Lines<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.path.display(), self.line)
    }
}

impl<R: BufRead> Lines<R> {
    /// `path` names the file in messages.
    pub(crate) fn new(reader: R, path: &Path) -> Self {
        Self {
            reader,
            path: path.to_owned(),
            line: 0,
            failed: false,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the line that was read last, from 1.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    /// The next line, without its end and without a byte-order mark.
    pub(crate) fn next_line(&mut self) -> Result<Option<String>, ReadError> {
        if self.failed {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let mut bounded = (&mut self.reader).take(MOST_LINE_BYTES + 1);
        let read = bounded.read_until(b'\n', &mut bytes);
        let read = read.and_then(|count| match count as u64 > MOST_LINE_BYTES {
            true => Err(too_long(self.line + 1)),
            false => Ok(count),
        });
        let count = read.map_err(|source| {
            self.failed = true;
            read_error(&self.path, source)
        })?;
        if count == 0 {
            return Ok(None);
        }
        self.line += 1;
        let line = String::from_utf8(bytes).map_err(|_| ReadError::InvalidUtf8 {
            path: self.path.clone(),
            line: self.line,
        })?;
        let line = match self.line {
            1 => line.trim_start_matches('\u{feff}'),
            _ => &line,
        };
        Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// The next line that is not blank.
    pub(super) fn next_filled(&mut self) -> Result<Option<String>, ReadError> {
        loop {
            match self.next_line()? {
                Some(line) if line.trim().is_empty() => {}
                other => return Ok(other),
            }
        }
    }
}

fn too_long(line: usize) -> io::Error {
    io::Error::other(format!(
        "line {line} is longer than {} MiB; is it a file of lines?",
        MOST_LINE_BYTES >> 20
    ))
}
