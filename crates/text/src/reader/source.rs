//! The bytes of a file as text, and its lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::ReadError;
use super::unpack::{Limits, Packing, UnpackError, unpack};

/// Means standard input in the place of a file.
const STANDARD_INPUT: &str = "-";

/// A file that is being read, unpacked where it is compressed.
pub(crate) struct Source {
    /// Its name in messages.
    pub(crate) path: PathBuf,
    /// The name whose extension says how the content is written: without `.gz`, or that of an archive's member.
    pub(crate) inner: PathBuf,
    /// Where the content lies as it is, if it is no stream and not compressed.
    pub(super) plain: Option<PathBuf>,
    /// The content.
    pub(crate) reader: Box<dyn BufRead + Send>,
}

/// The name of a file in messages.
pub(crate) fn name_of(path: &Path) -> PathBuf {
    if is_standard_input(path) {
        return PathBuf::from("standard input");
    }
    path.to_owned()
}

/// Whether this is `-`.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT)
}

impl Source {
    /// Opens a file, or standard input for `-`. The first bytes tell whether it is compressed with gzip or Zstandard or is a
    /// zip archive.
    pub(crate) fn open(path: &Path) -> Result<Self, ReadError> {
        let name = name_of(path);
        let error = |source| read_error(&name, source);
        let mut reader: Box<dyn BufRead + Send> = if is_standard_input(path) {
            Box::new(BufReader::new(io::stdin()))
        } else if path.is_dir() {
            return Err(ReadError::IsDirectory { path: name });
        } else {
            Box::new(BufReader::new(File::open(path).map_err(error)?))
        };
        let first_bytes = reader.fill_buf().map_err(error)?;
        let promised = Packing::promised(path);
        if let (true, Some(packing)) = (first_bytes.is_empty(), promised) {
            let source = UnpackError::CutShort {
                format: packing.name(),
            };
            return Err(ReadError::Unpack { path: name, source });
        }
        let mut inner = match promised {
            Some(_) => path.with_extension(""),
            None => path.to_owned(),
        };
        let mut plain = (!is_standard_input(path)).then(|| path.to_owned());
        if let Some(packing) = Packing::of(first_bytes) {
            plain = None;
            let unpacked = unpack(reader, packing, Limits::from_environment()).map_err(error)?;
            reader = unpacked.reader;
            inner = unpacked.member.unwrap_or(inner);
        }
        Ok(Self {
            path: name,
            inner,
            plain,
            reader,
        })
    }

    /// The first bytes, at least one if there are any.
    pub(crate) fn first_bytes(&mut self) -> Result<&[u8], ReadError> {
        self.reader
            .fill_buf()
            .map_err(|source| read_error(&self.path, source))
    }

    /// The content as a file that can be read from any place. What is none is copied to a temporary one.
    #[cfg(feature = "columnar")]
    pub(super) fn into_file(mut self) -> Result<File, ReadError> {
        let copy = |reader: &mut dyn Read| {
            let mut file = tempfile::tempfile()?;
            io::copy(reader, &mut file)?;
            Ok(file)
        };
        let file = match &self.plain {
            Some(path) => File::open(path),
            None => copy(&mut self.reader),
        };
        file.map_err(|source| read_error(&self.path, source))
    }

    /// The whole content.
    pub(crate) fn into_bytes(mut self) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        self.reader
            .read_to_end(&mut bytes)
            .map_err(|source| read_error(&self.path, source))?;
        Ok(bytes)
    }

    /// The whole content as text, without a byte-order mark.
    pub(super) fn into_text(self) -> Result<String, ReadError> {
        let path = self.path.clone();
        decode_utf8(&path, self.into_bytes()?)
    }
}

/// What a failed read means: something about compressed data, or a reason of the operating system.
pub(crate) fn read_error(path: &Path, source: io::Error) -> ReadError {
    let path = path.to_owned();
    match source.downcast::<UnpackError>() {
        Ok(source) => ReadError::Unpack { path, source },
        Err(source) => ReadError::Io { path, source },
    }
}

/// The content of a file as text, without its byte-order mark.
pub(crate) fn decode_utf8(path: &Path, bytes: Vec<u8>) -> Result<String, ReadError> {
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        ReadError::InvalidUtf8 {
            path: path.to_owned(),
            line: 1 + valid.iter().filter(|&&byte| byte == b'\n').count(),
        }
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// Lines that are not blank, with their 1-based numbers and without their ends (LF or CRLF).
pub(crate) fn numbered_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim().is_empty())
}
