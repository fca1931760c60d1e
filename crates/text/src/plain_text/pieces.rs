//! The lines of a plain text, one by one, long ones in pieces.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::ReadError;

/// The longest piece, in bytes. The time that tokenizing takes grows faster than the text it gets at once, and a text of
/// this size is far more than any model takes.
const LONGEST: usize = 64 * 1024;

/// A line, or a part of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPiece {
    /// The text, without the line's end.
    pub text: String,
    /// The line it is of, counted from 1.
    pub line: usize,
    /// Whether the line begins with it.
    pub starts_line: bool,
}

/// Reads UTF-8 text line by line, so that no file is in memory as a whole, however long its lines.
///
/// A line of more than 64 KiB comes in several pieces. It is cut behind white space, which parts words anyway: the pieces'
/// tokens together are the line's. Where 64 KiB have no white space, it is cut between two characters; only a word that
/// long, which no vocabulary has, could make a difference. A byte-order mark is left out, CRLF ends a line like LF.
#[derive(Debug)]
pub struct TextPieces<R> {
    reader: R,
    path: PathBuf,
    /// The line that was begun last, counted from 1.
    line: usize,
    /// What has been read of that line and not been given out.
    rest: Vec<u8>,
    starts_line: bool,
}

impl TextPieces<BufReader<File>> {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be opened, or is a directory.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        if path.is_dir() {
            return Err(ReadError::IsDirectory {
                path: path.to_owned(),
            });
        }
        let file = File::open(path).map_err(|source| ReadError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self::new(BufReader::new(file), path))
    }
}

impl<R: BufRead> TextPieces<R> {
    /// `path` names the text in messages; for one that is no file it may be any word.
    pub fn new(reader: R, path: &Path) -> Self {
        Self {
            reader,
            path: path.to_owned(),
            line: 0,
            rest: Vec::new(),
            starts_line: true,
        }
    }

    /// The name of the text in messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn next_piece(&mut self) -> Result<Option<TextPiece>, ReadError> {
        let room = LONGEST - self.rest.len();
        let count = (&mut self.reader)
            .take(room as u64)
            .read_until(b'\n', &mut self.rest)
            .map_err(|source| ReadError::Io {
                path: self.path.clone(),
                source,
            })?;
        if self.rest.is_empty() {
            return Ok(None);
        }
        let starts_line = self.starts_line;
        self.line += usize::from(starts_line);
        let ends_line = self.rest.ends_with(b"\n") || count < room;
        let length = if ends_line {
            self.rest.len()
        } else {
            self.cut()?
        };
        let remainder = self.rest.split_off(length);
        let bytes = std::mem::replace(&mut self.rest, remainder);
        self.starts_line = ends_line;
        let text = String::from_utf8(bytes).map_err(|_| self.invalid_utf8())?;
        let text = match self.line {
            1 if starts_line => text.trim_start_matches('\u{feff}'),
            _ => &text,
        };
        let text = if ends_line {
            text.trim_end_matches(['\r', '\n'])
        } else {
            text
        };
        Ok(Some(TextPiece {
            text: text.to_owned(),
            line: self.line,
            starts_line,
        }))
    }

    /// Where to cut what has been read of a long line: behind the last white space, else behind the last whole character.
    fn cut(&self) -> Result<usize, ReadError> {
        let whole = match str::from_utf8(&self.rest) {
            Ok(text) => text,
            Err(error) if error.error_len().is_some() => return Err(self.invalid_utf8()),
            Err(error) => str::from_utf8(&self.rest[..error.valid_up_to()])
                .expect("the part before the first error is valid"),
        };
        let mut characters = whole.char_indices().rev();
        let space = characters.find(|(_, character)| character.is_whitespace());
        Ok(space.map_or(whole.len(), |(start, space)| start + space.len_utf8()))
    }

    fn invalid_utf8(&self) -> ReadError {
        ReadError::InvalidUtf8 {
            path: self.path.clone(),
            line: self.line,
        }
    }
}

impl<R: BufRead> Iterator for TextPieces<R> {
    type Item = Result<TextPiece, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_piece().transpose()
    }
}
