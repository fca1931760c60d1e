//! One file over HTTP, resumed where an earlier transfer broke off.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::{Agent, Body, config::RedirectAuthHeaders};

use crate::disk::{self, BLOCK_BYTES};
use crate::error::SourceError;
use crate::options::FetchOptions;
use crate::pace::Pace;
use crate::progress::Progress;

/// A file whose size nobody has stated is no longer than this, 8 GiB.
const MOST_UNSTATED_BYTES: u64 = 8 << 30;
/// How long a host may take to accept a connection. An unreachable host must not delay the next source for long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An HTTP client whose waits are bounded and which sends a token to the first host alone.
pub(crate) fn agent(timeout: Duration) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .redirect_auth_headers(RedirectAuthHeaders::SameHost)
        .timeout_connect(Some(timeout.min(CONNECT_TIMEOUT)))
        .timeout_recv_response(Some(timeout))
        .timeout_per_read(Some(timeout))
        .user_agent(concat!("bert-hub/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

/// What to transfer, and where to.
#[derive(Debug)]
pub(crate) struct Transfer<'a> {
    pub(crate) url: &'a str,
    pub(crate) token: Option<&'a str>,
    /// Shown to the user.
    pub(crate) label: &'a str,
    /// The file that grows.
    pub(crate) part: &'a Path,
    pub(crate) size: Option<u64>,
    /// Whether a hash is checked afterwards. If so, a transfer may continue bytes that came from another source.
    pub(crate) is_verifiable: bool,
}

/// Whether a finished transfer began with bytes of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    Afresh,
    Resumed,
}

/// The source of the bytes of a partial file.
#[derive(Debug, Serialize, Deserialize)]
struct Origin {
    url: String,
    etag: Option<String>,
}

/// How an attempt failed.
enum Failure {
    Final(SourceError),
    /// There was no answer. Another attempt is made only if the host has answered before.
    Unanswered(SourceError),
    Passing(SourceError),
}

/// Transfers a file, in as many attempts as the options allow.
pub(crate) fn download(
    agent: &Agent,
    transfer: &Transfer<'_>,
    options: &FetchOptions,
    progress: &mut dyn Progress,
) -> Result<Begun, SourceError> {
    let mut failures = 0;
    let had_bytes = length(transfer.part) > 0;
    loop {
        match attempt(agent, transfer, options.timeout, progress) {
            Ok(begun) if had_bytes || failures == 0 => return Ok(begun),
            // The earlier bytes came within this call and from the same answer or a matching one.
            Ok(_) => return Ok(Begun::Afresh),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Unanswered(error)) if failures == 0 => return Err(error),
            Err(Failure::Unanswered(error) | Failure::Passing(error)) => {
                failures += 1;
                if failures >= options.attempts {
                    return Err(error);
                }
                progress.note(&format!("{error}; trying again"));
                thread::sleep(options.retry_delay * failures);
            }
        }
    }
}

fn attempt(
    agent: &Agent,
    transfer: &Transfer<'_>,
    timeout: Duration,
    progress: &mut dyn Progress,
) -> Result<Begun, Failure> {
    let resume = Resume::of(transfer);
    if transfer.is_verifiable && resume.offset > 0 && transfer.size == Some(resume.offset) {
        return Ok(Begun::Resumed);
    }
    let mut request = agent
        .get(transfer.url)
        .header("Accept-Encoding", "identity");
    if let Some(token) = transfer.token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    if resume.offset > 0 {
        request = request.header("Range", format!("bytes={}-", resume.offset));
        if let Some(etag) = &resume.etag {
            request = request.header("If-Range", etag);
        }
    }
    let response = request
        .call()
        .map_err(|error| Failure::Unanswered(transport(transfer.url, &error)))?;
    match response.status() {
        StatusCode::OK => receive(response, transfer, 0, Pace::new(timeout), progress),
        StatusCode::PARTIAL_CONTENT if range_start(response.headers()) == Some(resume.offset) => {
            let pace = Pace::new(timeout);
            receive(response, transfer, resume.offset, pace, progress)
        }
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
            // The partial file does not fit what the server holds now.
            discard(transfer.part).map_err(Failure::Final)?;
            Err(Failure::Passing(status_error(
                transfer.url,
                response.status(),
            )))
        }
        status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
            Err(Failure::Passing(status_error(transfer.url, status)))
        }
        status => Err(Failure::Final(status_error(transfer.url, status))),
    }
}

/// Writes an answer's body to the partial file from `offset` on.
fn receive(
    response: Response<Body>,
    transfer: &Transfer<'_>,
    offset: u64,
    pace: Pace,
    progress: &mut dyn Progress,
) -> Result<Begun, Failure> {
    let total = total_bytes(&response, offset).or(transfer.size);
    if let (Some(found), Some(expected)) = (total, transfer.size)
        && found != expected
    {
        return Err(Failure::Final(SourceError::Size {
            file: transfer.label.to_owned(),
            expected,
            found,
        }));
    }
    if total.is_some_and(|total| total > most_bytes(transfer)) {
        return Err(Failure::Final(too_large(transfer)));
    }
    let mut file = open_part(transfer, response.headers(), offset).map_err(Failure::Final)?;
    progress.start(transfer.label, offset, total);
    let mut body = Incoming {
        body: &mut response.into_body().into_reader(),
        received: offset,
        total,
        pace,
    };
    let copied = body.copy(&mut file, transfer, progress);
    progress.finish();
    let received = copied?;
    match total {
        Some(expected) if received < expected => Err(Failure::Passing(SourceError::CutShort {
            url: transfer.url.to_owned(),
            received,
            expected,
        })),
        _ if offset > 0 => Ok(Begun::Resumed),
        _ => Ok(Begun::Afresh),
    }
}

/// A body under way.
struct Incoming<'a> {
    body: &'a mut dyn Read,
    received: u64,
    total: Option<u64>,
    pace: Pace,
}

impl Incoming<'_> {
    /// Writes the rest of the body to the file, and gives the length of both.
    fn copy(
        &mut self,
        file: &mut File,
        transfer: &Transfer<'_>,
        progress: &mut dyn Progress,
    ) -> Result<u64, Failure> {
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let length = match self.body.read(&mut block) {
                Ok(0) => return Ok(self.received),
                Ok(length) => length,
                Err(broken) => {
                    let broken = broken_off(transfer, self.received, self.total, &broken);
                    return Err(Failure::Passing(broken));
                }
            };
            file.write_all(&block[..length]).map_err(|refused| {
                Failure::Final(SourceError::disk("write", transfer.part)(refused))
            })?;
            self.received += length as u64;
            progress.advance(length as u64);
            if self.received > most_bytes(transfer) {
                return Err(Failure::Final(match transfer.size {
                    Some(expected) => SourceError::Size {
                        file: transfer.label.to_owned(),
                        expected,
                        found: self.received,
                    },
                    None => too_large(transfer),
                }));
            }
            if !self.pace.is_kept(length as u64, Instant::now()) {
                return Err(Failure::Passing(SourceError::TooSlow {
                    url: transfer.url.to_owned(),
                    received: self.received,
                }));
            }
        }
    }
}

/// The most that a file may have.
fn most_bytes(transfer: &Transfer<'_>) -> u64 {
    transfer.size.unwrap_or(MOST_UNSTATED_BYTES)
}

fn too_large(transfer: &Transfer<'_>) -> SourceError {
    SourceError::TooLarge {
        file: transfer.label.to_owned(),
        limit: most_bytes(transfer),
    }
}

fn broken_off(
    transfer: &Transfer<'_>,
    received: u64,
    total: Option<u64>,
    broken: &std::io::Error,
) -> SourceError {
    let url = transfer.url.to_owned();
    match total {
        Some(expected) => SourceError::CutShort {
            url,
            received,
            expected,
        },
        None => SourceError::Transport {
            url,
            message: broken.to_string(),
        },
    }
}

/// From which byte a transfer may go on.
struct Resume {
    offset: u64,
    etag: Option<String>,
}

impl Resume {
    fn of(transfer: &Transfer<'_>) -> Self {
        let origin: Option<Origin> = fs::read(origin_file(transfer.part))
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok());
        let length = length(transfer.part);
        let too_long = transfer.size.is_some_and(|size| length > size);
        let etag = origin
            .filter(|origin| origin.url == transfer.url)
            .and_then(|origin| origin.etag);
        // Without a hash to check at the end, only an entity tag tells whether old and new bytes are of one file.
        let offset = if too_long || (etag.is_none() && !transfer.is_verifiable) {
            0
        } else {
            length
        };
        Self { offset, etag }
    }
}

fn open_part(
    transfer: &Transfer<'_>,
    headers: &HeaderMap,
    offset: u64,
) -> Result<File, SourceError> {
    if let Some(parent) = transfer.part.parent() {
        fs::create_dir_all(parent).map_err(SourceError::disk("create the folder", parent))?;
    }
    if offset == 0 {
        discard(transfer.part)?;
        let origin = Origin {
            url: transfer.url.to_owned(),
            etag: strong_etag(headers),
        };
        let path = origin_file(transfer.part);
        let json = serde_json::to_vec(&origin).unwrap_or_default();
        disk::write_atomic(&path, &json).map_err(SourceError::disk("write", &path))?;
    }
    File::options()
        .create(true)
        .append(true)
        .open(transfer.part)
        .map_err(SourceError::disk("open", transfer.part))
}

/// Removes a partial file and the record of its origin.
pub(crate) fn discard(part: &Path) -> Result<(), SourceError> {
    for path in [part.to_path_buf(), origin_file(part)] {
        if path.exists() {
            fs::remove_file(&path).map_err(SourceError::disk("remove", &path))?;
        }
    }
    Ok(())
}

fn origin_file(part: &Path) -> PathBuf {
    let mut name = part.as_os_str().to_owned();
    name.push(".origin.json");
    PathBuf::from(name)
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A weak tag (`W/"…"`) does not promise equal bytes.
fn strong_etag(headers: &HeaderMap) -> Option<String> {
    header(headers, "etag")
        .filter(|etag| etag.starts_with('"'))
        .map(str::to_owned)
}

/// `bytes START-END/TOTAL`
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let (range, total) = header(headers, "content-range")?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, total.parse().ok()))
}

fn range_start(headers: &HeaderMap) -> Option<u64> {
    content_range(headers).map(|(start, _)| start)
}

fn total_bytes(response: &Response<Body>, offset: u64) -> Option<u64> {
    match content_range(response.headers()) {
        Some((_, total)) if offset > 0 => total,
        _ => header(response.headers(), "content-length")?
            .parse::<u64>()
            .ok()
            .map(|rest| offset + rest),
    }
}

pub(crate) fn status_error(url: &str, status: StatusCode) -> SourceError {
    SourceError::Status {
        url: url.to_owned(),
        status: status.as_u16(),
    }
}

pub(crate) fn transport(url: &str, error: &ureq::Error) -> SourceError {
    SourceError::Transport {
        url: url.to_owned(),
        message: error.to_string(),
    }
}
