//! The lines of a plain text, one by one, long ones in pieces.

use std::fmt;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use crate::ReadError;
use crate::reader::{Source, name_of, read_error, together};

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

/// Opens a further file; returns its name in messages, too.
type Open<R> = fn(&Path) -> Result<(PathBuf, R), ReadError>;

/// Reads UTF-8 text line by line, so that no file is in memory as a whole, however long its lines.
///
/// A line of more than 64 KiB comes in several pieces. It is cut behind white space, which parts words anyway: the pieces'
/// tokens together are the line's. Where 64 KiB have no white space, it is cut between two characters; only a word that
/// long, which no vocabulary has, could make a difference. A byte-order mark is left out, CRLF ends a line like LF. An error is
/// the last item.
pub struct TextPieces<R> {
    reader: R,
    path: PathBuf,
    /// Files to read after this one.
    further: Vec<PathBuf>,
    /// Opens them.
    open: Option<Open<R>>,
    /// The line that was begun last, counted from 1.
    line: usize,
    /// What has been read of that line and not been given out.
    rest: Vec<u8>,
    starts_line: bool,
    /// Behind an error there is nothing more.
    failed: bool,
}

impl TextPieces<Box<dyn BufRead + Send>> {
    /// Opens a file, compressed or not, or standard input for `-`.
    ///
    /// # Errors
    /// It cannot be opened or unpacked, or is a directory.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Self::open_files(&[path.to_owned()])
    }

    /// Opens several files, which are read one after the other. Messages name the file, and lines count from its beginning.
    ///
    /// # Errors
    /// One cannot be opened or unpacked, or is a directory; there is none.
    pub fn open_files(paths: &[PathBuf]) -> Result<Self, ReadError> {
        let [first, further @ ..] = paths else {
            return Err(ReadError::Empty {
                path: PathBuf::new(),
                header: false,
            });
        };
        let Source { path, reader, .. } = Source::open(first)?;
        Ok(Self {
            further: further.to_vec(),
            open: Some(|path| {
                let Source { path, reader, .. } = Source::open(path)?;
                Ok((path, reader))
            }),
            ..Self::new(reader, &path)
        })
    }
}

impl<R: BufRead> TextPieces<R> {
    /// `path` names the text in messages; for one that is no file it may be any word.
    pub fn new(reader: R, path: &Path) -> Self {
        Self {
            reader,
            path: path.to_owned(),
            further: Vec::new(),
            open: None,
            line: 0,
            rest: Vec::new(),
            starts_line: true,
            failed: false,
        }
    }

    /// The name of the text in messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of this text and of those that are read after it.
    pub fn name(&self) -> PathBuf {
        let further = self.further.iter().map(|path| name_of(path));
        let all: Vec<PathBuf> = std::iter::once(self.path.clone()).chain(further).collect();
        together(&all)
    }

    fn next_piece(&mut self) -> Result<Option<TextPiece>, ReadError> {
        let room = LONGEST - self.rest.len();
        let count = (&mut self.reader)
            .take(room as u64)
            .read_until(b'\n', &mut self.rest)
            .map_err(|source| read_error(&self.path, source))?;
        if self.rest.is_empty() {
            return match self.next_file()? {
                true => self.next_piece(),
                false => Ok(None),
            };
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

impl<R: BufRead> TextPieces<R> {
    /// Goes on to the next file, if there is one.
    fn next_file(&mut self) -> Result<bool, ReadError> {
        let Some(open) = self.open.filter(|_| !self.further.is_empty()) else {
            return Ok(false);
        };
        let next = self.further.remove(0);
        (self.path, self.reader) = open(&next)?;
        (self.line, self.starts_line) = (0, true);
        Ok(true)
    }
}

impl<R> fmt::Debug for TextPieces<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextPieces")
            .field("path", &self.path)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

impl<R: BufRead> Iterator for TextPieces<R> {
    type Item = Result<TextPiece, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let piece = self.next_piece();
        self.failed = piece.is_err();
        piece.transpose()
    }
}
