//! Extraction of single members from zip, tar and tar.gz files, also from archives within archives.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zip::result::ZipError;

use crate::error::SourceError;

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
    /// A member that unpacks to more is an error.
    pub(crate) most_bytes: Option<u64>,
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
                most_bytes: None,
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
    file.rewind().map_err(SourceError::disk("read", archive))?;
    match &magic[..length] {
        b"PK\x03\x04" => unpack_zip(archive, file, members),
        [0x1f, 0x8b, ..] => unpack_tar(
            archive,
            MultiGzDecoder::new(BufReader::new(file)),
            strip_top,
            members,
        ),
        _ => unpack_tar(archive, BufReader::new(file), strip_top, members),
    }
}

fn unpack_zip(archive: &Path, file: File, members: Vec<Member>) -> Result<(), SourceError> {
    let mut zip = zip::ZipArchive::new(BufReader::new(file))
        .map_err(|refused| unreadable(archive, &refused))?;
    for member in members {
        let mut content = zip.by_name(&member.path).map_err(|refused| match refused {
            ZipError::FileNotFound => missing(archive, &member.path),
            other => unreadable(archive, &other),
        })?;
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
        .most_bytes
        .map_or(u64::MAX, |bytes| bytes.saturating_add(1));
    let written = io::copy(&mut content.take(limit), &mut file)
        .map_err(|refused| unreadable(archive, &refused))?;
    match member.most_bytes {
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
