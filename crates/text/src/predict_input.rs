//! What a model is asked about: one text, or pair of texts, a line.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::ReadError;

/// One input of a prediction.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PredictInput {
    /// The text, or the first of a pair.
    pub text: String,
    /// The second text of a pair.
    #[serde(default)]
    pub text_pair: Option<String>,
}

/// Reads inputs one by one, in their order, so that an endless stream works too.
///
/// A line is plain text, or a JSON object with `text` and optionally `text_pair` (other keys are ignored). A line whose
/// first character other than white space is `{` is always taken for JSON, so that a slip in a JSON file is an error
/// and not a prediction about its source text. Blank lines are skipped.
#[derive(Debug)]
pub struct PredictInputs<R> {
    reader: R,
    path: PathBuf,
    line: usize,
}

impl<R: BufRead> PredictInputs<R> {
    /// `path` names the input in messages; for a stream it may be any word.
    pub fn new(reader: R, path: &Path) -> Self {
        Self {
            reader,
            path: path.to_owned(),
            line: 0,
        }
    }

    /// The next line that is not blank.
    fn next_line(&mut self) -> Result<Option<String>, ReadError> {
        loop {
            let mut bytes = Vec::new();
            let count = self
                .reader
                .read_until(b'\n', &mut bytes)
                .map_err(|source| ReadError::Io {
                    path: self.path.clone(),
                    source,
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
            if !line.trim().is_empty() {
                return Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()));
            }
        }
    }

    fn parse(&self, line: String) -> Result<PredictInput, ReadError> {
        if !line.trim_start().starts_with('{') {
            return Ok(PredictInput {
                text: line,
                text_pair: None,
            });
        }
        serde_json::from_str(&line).map_err(|source| ReadError::PredictJson {
            path: self.path.clone(),
            line: self.line,
            source,
        })
    }
}

impl<R: BufRead> Iterator for PredictInputs<R> {
    type Item = Result<PredictInput, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.next_line().transpose()?;
        Some(line.and_then(|line| self.parse(line)))
    }
}
