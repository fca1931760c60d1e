//! Everything that can go wrong between a name and a folder of verified files.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::pace::FEWEST_BYTES;

/// Why a fetch as a whole failed.
#[derive(Debug, Error)]
pub enum FetchError {
    /// Every source of the entry failed; each is listed with its reason.
    #[error("{name} could not be fetched; every source failed:{}", list(.failures))]
    AllSourcesFailed {
        /// The entry.
        name: String,
        /// The sources in the order in which they were tried.
        failures: Vec<SourceFailure>,
    },
    /// The cache lacks files of the entry, and this run may not use the network.
    #[error(
        "the cache lacks files of {name} ({}: {}), and this run is offline; fetch {name} once without the offline switch, \
         or put its files into the folder that BERT_DATASETS names{}",
        .dir.display(), .incomplete.join(", "), list(.failures)
    )]
    Offline {
        /// The entry.
        name: String,
        /// Where its files would lie.
        dir: PathBuf,
        /// The files that are missing or damaged.
        incomplete: Vec<String>,
        /// What the sources that need no network said.
        failures: Vec<SourceFailure>,
    },
    /// Neither `BERT_HOME` nor the platform names a cache directory.
    #[error("the platform names no cache directory for this user; set BERT_HOME to a folder")]
    NoHome,
    /// The cache could not be read or written.
    #[error("cannot {action} {}: {source}; BERT_HOME may name another cache folder", .path.display())]
    Cache {
        /// What was attempted.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The file of pinned hashes is not what this library writes.
    #[error("{} is not a table of pinned hashes: {message}; repair it, or delete it to pin anew", .path.display())]
    Pins {
        /// The lock file.
        path: PathBuf,
        /// What the parser found.
        message: String,
    },
}

/// One source and the reason why it gave nothing.
#[derive(Debug, Error)]
#[error("{origin}: {reason}")]
pub struct SourceFailure {
    /// The source in words, such as `hub google-bert/bert-base-uncased@main`.
    pub origin: String,
    /// Why it failed.
    pub reason: SourceError,
}

/// Why one source failed.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The source needs the network and the run is offline.
    #[error("needs the network, and this run is offline")]
    NeedsNetwork,
    /// `HF_HUB_OFFLINE` forbids the hub, and the hub's own cache lacks the file.
    #[error("HF_HUB_OFFLINE is set, and the hub's cache does not hold {file}")]
    HubOffline {
        /// The file looked for.
        file: String,
    },
    /// The server answered with a status that ends the attempt.
    #[error("{url} answered {status}{}", status_hint(*.status))]
    Status {
        /// The address asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// No answer, or the connection broke.
    #[error("{url}: {message}")]
    Transport {
        /// The address asked.
        url: String,
        /// What the client says.
        message: String,
    },
    /// The connection closed early in every attempt.
    #[error(
        "{url} closed the connection after {received} of {expected} bytes; run again to resume"
    )]
    CutShort {
        /// The address asked.
        url: String,
        /// Bytes on disk.
        received: u64,
        /// Bytes announced.
        expected: u64,
    },
    /// The server sends so little that a transfer would never end.
    #[error(
        "{url} sent less than {FEWEST_BYTES} bytes a second ({received} bytes so far); run again later to resume"
    )]
    TooSlow {
        /// The address asked.
        url: String,
        /// Bytes on disk.
        received: u64,
    },
    /// More arrives, or comes out of an archive, than a file may have whose size nobody has stated.
    #[error(
        "{file} has more than {limit} bytes, and nobody states its size; if it is right, state the size in the manifest"
    )]
    TooLarge {
        /// The file.
        file: String,
        /// The most bytes that are taken.
        limit: u64,
    },
    /// The file's length is not the manifest's or the source's.
    #[error(
        "{file} has {found} bytes, but {expected} are expected; the file is truncated or another one"
    )]
    Size {
        /// The file.
        file: String,
        /// Bytes stated.
        expected: u64,
        /// Bytes received (at least).
        found: u64,
    },
    /// The file's hash is not the manifest's or the source's.
    #[error(
        "{file} has sha256 {found}, but {expected} is expected; the file is damaged or was changed"
    )]
    Hash {
        /// The file.
        file: String,
        /// The hash stated.
        expected: String,
        /// The hash of what arrived.
        found: String,
    },
    /// The file differs from what was pinned at first use.
    #[error(
        "{file} has sha256 {found}, but {pinned} was pinned at first use in {}; to accept the change, delete its line \
         there and fetch again",
        .lock_file.display()
    )]
    PinMismatch {
        /// The file.
        file: String,
        /// The hash pinned.
        pinned: String,
        /// The hash of what arrived.
        found: String,
        /// Where the pin stands.
        lock_file: PathBuf,
    },
    /// No working `pip` was found.
    #[error(
        "found no working pip to download packages with (tried: {tried}); install Python with pip"
    )]
    NoClient {
        /// The command lines tried.
        tried: String,
    },
    /// `pip` ran and failed.
    #[error("`{command}` failed ({status}): {message}")]
    Client {
        /// The command line.
        command: String,
        /// Its exit status.
        status: String,
        /// The last lines it wrote to standard error.
        message: String,
    },
    /// `pip` succeeded and left no archive, or more than one.
    #[error("`{command}` left {found} archives, but one is expected")]
    ClientOutput {
        /// The command line.
        command: String,
        /// How many files were found.
        found: usize,
    },
    /// An archive cannot be read.
    #[error("{archive} cannot be unpacked: {message}")]
    Archive {
        /// Its name.
        archive: String,
        /// What is wrong.
        message: String,
    },
    /// An archive lacks a member.
    #[error("{archive} does not hold {member}")]
    MissingMember {
        /// The archive's name.
        archive: String,
        /// The member looked for.
        member: String,
    },
    /// A local source lacks a file.
    #[error("there is no file {}", .path.display())]
    MissingFile {
        /// The path looked at.
        path: PathBuf,
    },
    /// The disk refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Disk {
        /// What was attempted.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

impl SourceError {
    /// Whether the bytes that have arrived are good as far as they go.
    pub(crate) fn is_resumable(&self) -> bool {
        matches!(
            self,
            Self::CutShort { .. }
                | Self::Transport { .. }
                | Self::Status { .. }
                | Self::TooSlow { .. }
        )
    }

    pub(crate) fn disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Disk {
            action,
            path,
            source,
        }
    }
}

impl FetchError {
    pub(crate) fn cache(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Cache {
            action,
            path,
            source,
        }
    }
}

fn list(failures: &[SourceFailure]) -> String {
    failures.iter().fold(String::new(), |mut text, failure| {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  - {failure}");
        text
    })
}

fn status_hint(status: u16) -> &'static str {
    match status {
        401 | 403 => " (a gated repository needs HF_TOKEN)",
        404 | 410 => " (not found)",
        _ => "",
    }
}
