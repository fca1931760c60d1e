//! Inputs one a line.

use std::fmt;
use std::io::BufRead;
use std::marker::PhantomData;
use std::path::Path;

use super::{PredictError, PredictLine};
use crate::ReadError;
use crate::reader::{Lines, Source};

/// Reads inputs one by one, in their order, so that an endless stream works too.
///
/// A line whose first character other than white space is `{` is always taken for JSON (other keys than the input's are
/// ignored), so that a slip in a JSON file is an error and not a prediction about its source text. A blank line is an empty
/// text, or an error where an object is needed, so that every line has its answer.
pub struct PredictInputs<R, T = super::PredictInput> {
    lines: Lines<R>,
    input: PhantomData<fn() -> T>,
}

impl<R, T> fmt::Debug for PredictInputs<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.fmt(f)
    }
}

impl<T: PredictLine> PredictInputs<Box<dyn BufRead + Send>, T> {
    /// Opens a file, compressed or not, or standard input for `-`.
    ///
    /// # Errors
    /// It cannot be opened or unpacked, or is a directory.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let Source { path, reader, .. } = Source::open(path)?;
        Ok(Self::new(reader, &path))
    }
}

impl<R: BufRead, T: PredictLine> PredictInputs<R, T> {
    /// `path` names the input in messages; for a stream it may be any word.
    pub fn new(reader: R, path: &Path) -> Self {
        Self {
            lines: Lines::new(reader, path),
            input: PhantomData,
        }
    }

    /// The number of the line that was read last, from 1.
    pub fn line(&self) -> usize {
        self.lines.line()
    }

    fn parse(&self, line: String) -> Result<T, ReadError> {
        let keys = T::KEYS;
        let refused = |source| ReadError::Predict {
            path: self.lines.path().to_owned(),
            line: self.lines.line(),
            source,
        };
        if line.trim_start().starts_with('{') {
            let parsed = serde_json::from_str(&line);
            return parsed.map_err(|source| refused(PredictError::Json { keys, source }));
        }
        let is_blank = line.trim().is_empty();
        T::plain(line).ok_or_else(|| match is_blank {
            true => refused(PredictError::Blank { keys }),
            false => refused(PredictError::Plain { keys }),
        })
    }
}

impl<R: BufRead, T: PredictLine> Iterator for PredictInputs<R, T> {
    type Item = Result<T, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next_line().transpose()?;
        Some(line.and_then(|line| self.parse(line)))
    }
}
