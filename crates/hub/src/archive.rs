//! Extraction of single members from zip, tar and tar.gz files, also from archives within archives.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zip::result::ZipError;

use crate::error::SourceError;

/// What comes out of an archive without a stated size is no more than this, 64 MiB, or so many times the archive. Text shrinks
/// to a tenth; a bomb shrinks to a thousandth.
const FREE_BYTES: u64 = 64 << 20;
const MOST_TIMES: u64 = 200;

/// Where in an archive the wanted files lie.
#[derive(Debug)]
pub(crate) struct Inside<'a> {
    /// Archives within the archive, outermost first.
    pub(crate) archives: &'a [String],
    /// Whether the outermost archive's one top folder is left out of all paths.
    pub(crate) strip_top: bool,
    /// The folder of the files in the innermost archive.
    pub(crate) folder: &'a str,
}

/// A member and where to write it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) path: String,
    pub(crate) to: PathBuf,
    /// Its size where one is stated; a member that unpacks to more is an error.
    pub(crate) size: Option<u64>,
}

/// Unpacks every one of `members`, whose paths count from the innermost folder; nested archives pass through `scratch`.
pub(crate) fn extract(
    archive: &Path,
    inside: &Inside<'_>,
    members: Vec<Member>,
    scratch: &Path,
) -> Result<(), SourceError> {
    let mut current = archive.to_path_buf();
    let mut strip_top = inside.strip_top;
    for (depth, path) in inside.archives.iter().enumerate() {
        let to = scratch.join(format!("nested-{depth}"));
        unpack(
            &current,
            strip_top,
            vec![Member {
                path: path.clone(),
                to: to.clone(),
                size: None,
            }],
        )?;
        current = to;
        strip_top = false;
    }
    let placed = members.into_iter().map(|member| match inside.folder {
        "" => member,
        folder => Member {
            path: format!("{folder}/{}", member.path),
            ..member
        },
    });
    unpack(&current, strip_top, placed.collect())
}

fn unpack(archive: &Path, strip_top: bool, members: Vec<Member>) -> Result<(), SourceError> {
    let mut file = File::open(archive).map_err(SourceError::disk("open", archive))?;
    let mut magic = [0; 4];
    let length = file
        .read(&mut magic)
        .map_err(SourceError::disk("read", archive))?;
    let archive_bytes = file
        .metadata()
        .map_err(SourceError::disk("read", archive))?;
    let most_bytes = FREE_BYTES.max(archive_bytes.len().saturating_mul(MOST_TIMES));
    file.rewind().map_err(SourceError::disk("read", archive))?;
    match &magic[..length] {
        b"PK\x03\x04" => unpack_zip(archive, file, most_bytes, members),
        [0x1f, 0x8b, ..] => unpack_tar(
            archive,
            Bounded {
                inner: MultiGzDecoder::new(BufReader::new(file)),
                rest: most_bytes,
            },
            strip_top,
            members,
        ),
        _ => unpack_tar(archive, BufReader::new(file), strip_top, members),
    }
}

/// A stream that is an error where it has more bytes than an archive of this size should unpack to: members that nobody wants
/// have to be unpacked on the way to those that are wanted.
struct Bounded<R> {
    inner: R,
    rest: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let rest = self.rest.checked_sub(count as u64);
        self.rest = rest.ok_or_else(|| {
            io::Error::other(format!(
                "it unpacks to more than {MOST_TIMES} times its size, so it may be made to fill the disk"
            ))
        })?;
        Ok(count)
    }
}

fn unpack_zip(
    archive: &Path,
    file: File,
    most_bytes: u64,
    members: Vec<Member>,
) -> Result<(), SourceError> {
    let mut zip = zip::ZipArchive::new(BufReader::new(file))
        .map_err(|refused| unreadable(archive, &refused))?;
    for member in members {
        let mut content = zip.by_name(&member.path).map_err(|refused| match refused {
            ZipError::FileNotFound => missing(archive, &member.path),
            other => unreadable(archive, &other),
        })?;
        if content.is_symlink() {
            return Err(SourceError::Archive {
                archive: name(archive),
                message: format!("{} is a symbolic link in it, and no file", member.path),
            });
        }
        let mut content = Bounded {
            inner: &mut content,
            rest: most_bytes,
        };
        write_member(archive, &mut content, &member)?;
    }
    Ok(())
}

fn unpack_tar(
    archive: &Path,
    stream: impl Read,
    strip_top: bool,
    mut members: Vec<Member>,
) -> Result<(), SourceError> {
    let broken = |refused: io::Error| unreadable(archive, &refused);
    for entry in tar::Archive::new(stream).entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = path.strip_prefix("./").unwrap_or(&path);
        let path = if strip_top {
            path.split_once('/').map_or(path, |(_, rest)| rest)
        } else {
            path
        };
        if let Some(index) = members.iter().position(|member| member.path == path) {
            write_member(archive, &mut entry, &members.swap_remove(index))?;
        }
        if members.is_empty() {
            return Ok(());
        }
    }
    match members.first() {
        Some(member) => Err(missing(archive, &member.path)),
        None => Ok(()),
    }
}

fn write_member(
    archive: &Path,
    content: &mut impl Read,
    member: &Member,
) -> Result<(), SourceError> {
    if let Some(parent) = member.to.parent() {
        fs::create_dir_all(parent).map_err(SourceError::disk("create the folder", parent))?;
    }
    let mut file = File::create(&member.to).map_err(SourceError::disk("create", &member.to))?;
    // One byte more than allowed tells "too long" from "just right".
    let limit = member
        .size
        .map_or(u64::MAX, |bytes| bytes.saturating_add(1));
    let written = io::copy(&mut content.take(limit), &mut file)
        .map_err(|refused| unreadable(archive, &refused))?;
    match member.size {
        Some(expected) if written > expected => Err(SourceError::Size {
            file: member.path.clone(),
            expected,
            found: written,
        }),
        _ => Ok(()),
    }
}

fn name(archive: &Path) -> String {
    archive.file_name().map_or_else(
        || archive.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn unreadable(archive: &Path, refused: &dyn std::fmt::Display) -> SourceError {
    SourceError::Archive {
        archive: name(archive),
        message: refused.to_string(),
    }
}

fn missing(archive: &Path, member: &str) -> SourceError {
    SourceError::MissingMember {
        archive: name(archive),
        member: member.to_owned(),
    }
}
