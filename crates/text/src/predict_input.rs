//! What a model is asked about, one input a line.

use std::io::BufRead;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ReadError;
use crate::reader::{Source, read_error};

/// One input of a prediction, read from a line of its own: a JSON object, or for some tasks plain text.
pub trait PredictLine: DeserializeOwned {
    /// The object's keys, for messages.
    const KEYS: &'static str;

    /// What a line means that is no JSON object; `None` when the task needs an object.
    fn plain(line: String) -> Option<Self>;
}

/// A text or pair of texts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PredictInput {
    /// The text, or the first of a pair.
    pub text: String,
    /// The second text of a pair.
    #[serde(default)]
    pub text_pair: Option<String>,
}

impl PredictLine for PredictInput {
    const KEYS: &'static str = "\"text\" and optionally \"text_pair\"";

    fn plain(text: String) -> Option<Self> {
        Some(Self {
            text,
            text_pair: None,
        })
    }
}

/// A text, or a text that somebody has split into words already.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "TextOrTokens")]
pub enum TokensInput {
    /// A text.
    Text(String),
    /// Its words.
    Tokens(Vec<String>),
}

#[derive(Deserialize)]
struct TextOrTokens {
    text: Option<String>,
    tokens: Option<Vec<String>>,
}

impl TryFrom<TextOrTokens> for TokensInput {
    type Error = &'static str;

    fn try_from(input: TextOrTokens) -> Result<Self, Self::Error> {
        match (input.text, input.tokens) {
            (Some(text), None) => Ok(Self::Text(text)),
            (None, Some(tokens)) => Ok(Self::Tokens(tokens)),
            (Some(_), Some(_)) => Err("both \"text\" and \"tokens\" are given; give one of them"),
            (None, None) => Err("neither \"text\" nor \"tokens\" is given"),
        }
    }
}

impl PredictLine for TokensInput {
    const KEYS: &'static str = "\"text\", or \"tokens\", a list of strings";

    fn plain(text: String) -> Option<Self> {
        Some(Self::Text(text))
    }
}

/// A pair of texts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PairInput {
    /// The first text.
    pub text: String,
    /// The second.
    pub text_pair: String,
}

impl PredictLine for PairInput {
    const KEYS: &'static str = "\"text\" and \"text_pair\"";

    fn plain(_line: String) -> Option<Self> {
        None
    }
}

/// Reads inputs one by one, in their order, so that an endless stream works too.
///
/// A line whose first character other than white space is `{` is always taken for JSON (other keys than the input's are
/// ignored), so that a slip in a JSON file is an error and not a prediction about its source text. A blank line is an empty
/// text, or an error where an object is needed, so that every line has its answer.
#[derive(Debug)]
pub struct PredictInputs<R, T = PredictInput> {
    reader: R,
    path: PathBuf,
    line: usize,
    input: PhantomData<T>,
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
            reader,
            path: path.to_owned(),
            line: 0,
            input: PhantomData,
        }
    }

    /// The next line, without its end.
    fn next_line(&mut self) -> Result<Option<String>, ReadError> {
        let mut bytes = Vec::new();
        let count = self
            .reader
            .read_until(b'\n', &mut bytes)
            .map_err(|source| read_error(&self.path, source))?;
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

    fn parse(&self, line: String) -> Result<T, ReadError> {
        if !line.trim_start().starts_with('{') {
            let is_blank = line.trim().is_empty();
            let (path, keys) = (self.path.clone(), T::KEYS);
            return T::plain(line).ok_or(match is_blank {
                true => ReadError::PredictBlank {
                    path,
                    line: self.line,
                    keys,
                },
                false => ReadError::PredictPlain {
                    path,
                    line: self.line,
                    keys,
                },
            });
        }
        serde_json::from_str(&line).map_err(|source| ReadError::PredictJson {
            path: self.path.clone(),
            line: self.line,
            keys: T::KEYS,
            source,
        })
    }
}

impl<R: BufRead, T: PredictLine> Iterator for PredictInputs<R, T> {
    type Item = Result<T, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.next_line().transpose()?;
        Some(line.and_then(|line| self.parse(line)))
    }
}
