//! Compressed files: gzip, Zstandard, and zip archives with one file in them.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Raises both limits on what a compressed file may unpack to: the number of bytes.
pub(super) const LIMIT_VARIABLE: &str = "BERT_MAX_UNPACKED_BYTES";
/// No file unpacks to more than this, 8 GiB, unless the variable says otherwise.
const MOST_BYTES: u64 = 8 << 30;
/// From this size on, 64 MiB, the ratio counts.
const FREE_BYTES: u64 = 64 << 20;
/// Text shrinks to a tenth, tables of repeated cells to a fiftieth. A bomb shrinks to a thousandth or less.
const MOST_TIMES: u64 = 200;

/// A compressed file that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The file ends before its content does.
    #[error("the {format} data is cut short; fetch or copy the file again")]
    CutShort {
        /// How it is compressed.
        format: &'static str,
    },
    /// The bytes are not what the format allows.
    #[error("the {format} data is damaged ({reason}); fetch or copy the file again")]
    Damaged {
        /// How it is compressed.
        format: &'static str,
        /// The library's reason.
        reason: String,
    },
    /// More comes out than any data set should have.
    #[error(
        "unpacks to more than {limit} bytes{ratio}, so it may be made to fill the memory; if it is not, set \
         {LIMIT_VARIABLE} to the number of bytes to allow"
    )]
    TooLarge {
        /// Bytes that were unpacked before the end was reached.
        limit: u64,
        /// By how much it is larger than the file, in words, where that is what is odd.
        ratio: String,
    },
    /// An archive without a file, or with several.
    #[error(
        "the archive holds {} files ({}); expected one",
        .members.len(),
        if .members.is_empty() { "none".to_owned() } else { .members.join(", ") }
    )]
    Members {
        /// The files in it.
        members: Vec<String>,
    },
}

/// What the first bytes of a file say about how it is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstandard,
    Zip,
}

impl Packing {
    pub(super) fn of(first_bytes: &[u8]) -> Option<Self> {
        match first_bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstandard),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            _ => None,
        }
    }

    /// What an extension promises.
    pub(super) fn promised(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_ascii_lowercase();
        match extension.to_str()? {
            "gz" | "gzip" => Some(Self::Gzip),
            "zst" | "zstd" => Some(Self::Zstandard),
            "zip" => Some(Self::Zip),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstandard => "Zstandard",
            Self::Zip => "zip",
        }
    }
}

/// Limits on what a file may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    bytes: u64,
    /// `None`: any.
    times: Option<u64>,
}

impl Limits {
    /// The limits that the environment sets, or the usual ones.
    pub(super) fn from_environment() -> Self {
        let given = std::env::var(LIMIT_VARIABLE).ok();
        match given.and_then(|text| text.trim().parse().ok()) {
            Some(bytes) => Self { bytes, times: None },
            None => Self {
                bytes: MOST_BYTES,
                times: Some(MOST_TIMES),
            },
        }
    }

    pub(super) fn check(self, packed: u64, unpacked: u64) -> Result<(), UnpackError> {
        if unpacked > self.bytes {
            return Err(UnpackError::TooLarge {
                limit: self.bytes,
                ratio: String::new(),
            });
        }
        match self.times {
            Some(times) if unpacked > FREE_BYTES && unpacked / packed.max(1) > times => {
                Err(UnpackError::TooLarge {
                    limit: FREE_BYTES,
                    ratio: format!(" and to more than {times} times its size"),
                })
            }
            _ => Ok(()),
        }
    }
}

/// The content of a compressed stream, and the name of the member that an archive has.
pub(super) struct Unpacked {
    pub(super) reader: Box<dyn BufRead + Send>,
    pub(super) member: Option<PathBuf>,
}

/// Begins to unpack a stream. What is wrong with it is an [`UnpackError`] within the [`io::Error`] of a later read, but for
/// archives, which are unpacked at once.
pub(super) fn unpack(
    packed: Box<dyn BufRead + Send>,
    packing: Packing,
    limits: Limits,
) -> io::Result<Unpacked> {
    let read = Arc::new(AtomicU64::new(0));
    let counted = Counted {
        inner: packed,
        read: Arc::clone(&read),
    };
    let inner: Box<dyn Read + Send> = match packing {
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(
            counted,
        ))),
        Packing::Zstandard => Box::new(zstd::stream::read::Decoder::new(counted)?),
        Packing::Zip => return unpack_archive(counted, limits),
    };
    Ok(Unpacked {
        reader: Box::new(BufReader::new(Limited {
            inner,
            packing,
            limits,
            packed: read,
            unpacked: 0,
        })),
        member: None,
    })
}

/// Reads the one file of an archive into memory.
fn unpack_archive(mut packed: impl Read, limits: Limits) -> io::Result<Unpacked> {
    let mut bytes = Vec::new();
    packed.read_to_end(&mut bytes)?;
    let size = bytes.len() as u64;
    let damaged = |error: zip::result::ZipError| {
        io::Error::other(UnpackError::Damaged {
            format: Packing::Zip.name(),
            reason: error.to_string(),
        })
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut members = Vec::new();
    for name in archive.file_names() {
        members.push(name.map_err(damaged)?.into_owned());
    }
    let member = the_one(members).map_err(io::Error::other)?;
    let file = archive.by_name(&member).map_err(damaged)?;
    let mut content = Vec::new();
    Limited {
        inner: Box::new(file),
        packing: Packing::Zip,
        limits,
        packed: Arc::new(AtomicU64::new(size)),
        unpacked: 0,
    }
    .read_to_end(&mut content)?;
    Ok(Unpacked {
        reader: Box::new(Cursor::new(content)),
        member: Some(PathBuf::from(member)),
    })
}

/// The one file of an archive. Folders, hidden files and the shadows that a Mac adds do not count; beside one file of data
/// there may be others, such as a README.
fn the_one(members: Vec<String>) -> Result<String, UnpackError> {
    let is_hidden = |name: &String| {
        let last = name.rsplit('/').next().unwrap_or_default();
        last.is_empty() || last.starts_with('.') || name.starts_with("__MACOSX/")
    };
    let files: Vec<String> = members
        .into_iter()
        .filter(|name| !is_hidden(name))
        .collect();
    let is_data = |name: &&String| super::Format::of_extension(Path::new(name)).is_some();
    let is_text = |name: &&String| {
        let name = name.to_ascii_lowercase();
        name.ends_with(".txt") || name.ends_with(".md")
    };
    let data = files.iter().filter(is_data);
    let data: Vec<&String> = match files.len() {
        0 | 1 => files.iter().collect(),
        _ => data.filter(|name| !is_text(name)).collect(),
    };
    match data.as_slice() {
        [one] => Ok((*one).clone()),
        _ => Err(UnpackError::Members { members: files }),
    }
}

/// Counts the bytes that are read.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Stops where more comes out than the limits allow, and says in our words what a library found wrong.
struct Limited<'a> {
    inner: Box<dyn Read + Send + 'a>,
    packing: Packing,
    limits: Limits,
    packed: Arc<AtomicU64>,
    unpacked: u64,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self
            .inner
            .read(buffer)
            .map_err(|error| in_our_words(self.packing, error))?;
        self.unpacked += count as u64;
        self.limits
            .check(self.packed.load(Ordering::Relaxed), self.unpacked)
            .map_err(io::Error::other)?;
        Ok(count)
    }
}

fn in_our_words(packing: Packing, error: io::Error) -> io::Error {
    let format = packing.name();
    match error.kind() {
        io::ErrorKind::Interrupted => error,
        io::ErrorKind::UnexpectedEof => io::Error::other(UnpackError::CutShort { format }),
        _ => io::Error::other(UnpackError::Damaged {
            format,
            reason: error.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_counts_from_a_size_on_and_the_variable_takes_its_place() {
        let limits = Limits {
            bytes: MOST_BYTES,
            times: Some(MOST_TIMES),
        };
        assert!(limits.check(1, FREE_BYTES).is_ok());
        let message = limits.check(1, FREE_BYTES + 1).unwrap_err().to_string();
        assert!(message.contains("200 times"), "{message}");
        assert!(message.contains(LIMIT_VARIABLE), "{message}");
        assert!(limits.check(MOST_BYTES / 100, MOST_BYTES).is_ok());
        assert!(limits.check(MOST_BYTES, MOST_BYTES + 1).is_err());
        let raised = Limits {
            bytes: u64::MAX,
            times: None,
        };
        assert!(raised.check(1, MOST_BYTES * 2).is_ok());
    }

    #[test]
    fn an_archive_has_one_file_of_data() {
        let one = |names: &[&str]| the_one(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(one(&["a.conll"]).unwrap(), "a.conll");
        assert_eq!(
            one(&["d/", "d/a.csv", "__MACOSX/d/._a.csv"]).unwrap(),
            "d/a.csv"
        );
        assert_eq!(
            one(&["README.md", "LICENSE.txt", "a.jsonl"]).unwrap(),
            "a.jsonl"
        );
        for several in [&["a.csv", "b.csv"][..], &["a", "b"], &[]] {
            let message = one(several).unwrap_err().to_string();
            assert!(message.contains("expected one"), "{message}");
        }
    }
}
