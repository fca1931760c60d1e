//! JSON as Python's `json` module writes and accepts it.
//!
//! Files of checkpoints come from Python and from editors. [`from_slice`] reads them where strict JSON readers stop:
//! - it skips a UTF-8 byte order mark;
//! - it reads the literals `Infinity`, `-Infinity` and `NaN` as `null`, because JSON has no such numbers;
//! - of a key that an object has twice, the last one counts. [`from_slice_unique`] refuses such an object: it is for files
//!   of strangers that decide what is computed.
//!
//! A [`JsonError`] names file, line, column and key. This crate does *not* open files: the caller has the bytes and says
//! where they are from.

mod literals;
mod unique;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use literals::StrictText;
pub use unique::UniqueKeys;

const UTF_8_MARK: &[u8] = b"\xEF\xBB\xBF";
const UTF_16_MARKS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// Why a file is not the JSON that is expected of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path}, line {line}, column {column}: {key}{reason}; correct the file or fetch it again",
    path = .path.display(),
    key = key_words(.key)
)]
pub struct JsonError {
    /// The file, as the caller named it.
    pub path: PathBuf,
    /// 1-based line.
    pub line: usize,
    /// 1-based column in bytes; 0 at the very beginning of a line.
    pub column: usize,
    /// The key whose value is at fault, such as `id2label.0`; `.` for the whole file.
    pub key: String,
    /// What is wrong there.
    pub reason: String,
}

fn key_words(key: &str) -> String {
    match key {
        "." => String::new(),
        key => format!("key `{key}`: "),
    }
}

/// Reads the content of the file at `path`, which is for messages alone.
///
/// # Errors
///
/// The bytes are not UTF-8, are not JSON, or do not have the form of a `T`.
pub fn from_slice<T: DeserializeOwned>(path: &Path, content: &[u8]) -> Result<T, JsonError> {
    typed(path, &StrictText::new(decode(path, content)?))
}

/// As [`from_slice`], but a key that an object has twice is an error.
///
/// # Errors
///
/// As [`from_slice`]; a key that stands twice.
pub fn from_slice_unique<T: DeserializeOwned>(path: &Path, content: &[u8]) -> Result<T, JsonError> {
    let text = StrictText::new(decode(path, content)?);
    parse::<UniqueKeys>(path, &text)?;
    typed(path, &text)
}

fn typed<T: DeserializeOwned>(path: &Path, text: &StrictText<'_>) -> Result<T, JsonError> {
    let value: Value = parse(path, text)?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        // Only the text knows the line, and only where its form is at fault on the first reading too.
        let place = parse::<T>(path, text).err();
        JsonError {
            path: path.to_owned(),
            line: place.as_ref().map_or(1, |place| place.line),
            column: place.as_ref().map_or(0, |place| place.column),
            key: error.path().to_string(),
            reason: error.inner().to_string(),
        }
    })
}

/// The text of a file without its byte order mark.
fn decode<'a>(path: &Path, content: &'a [u8]) -> Result<&'a str, JsonError> {
    let content = content.strip_prefix(UTF_8_MARK).unwrap_or(content);
    str::from_utf8(content).map_err(|error| {
        let before = &content[..error.valid_up_to()];
        let line_start = before.iter().rposition(|&byte| byte == b'\n');
        let is_utf_16 = UTF_16_MARKS.iter().any(|mark| content.starts_with(mark));
        JsonError {
            path: path.to_owned(),
            line: 1 + before.iter().filter(|&&byte| byte == b'\n').count(),
            column: 1 + before.len() - line_start.map_or(0, |newline| newline + 1),
            key: ".".to_owned(),
            reason: if is_utf_16 {
                "the text is UTF-16; save it as UTF-8".to_owned()
            } else {
                "invalid UTF-8".to_owned()
            },
        }
    })
}

fn parse<T: DeserializeOwned>(path: &Path, text: &StrictText<'_>) -> Result<T, JsonError> {
    let mut json = serde_json::Deserializer::from_str(text.json());
    let mut track = serde_path_to_error::Track::new();
    let value = T::deserialize(serde_path_to_error::Deserializer::new(
        &mut json, &mut track,
    ));
    value
        .and_then(|value| json.end().map(|()| value))
        .map_err(|error| JsonError {
            path: path.to_owned(),
            line: error.line(),
            column: text.column(error.line(), error.column()),
            key: known_keys(&track.path()),
            reason: without_place(&error),
        })
}

/// The path of a key as far as it is known: where the text breaks off, the last part is not.
fn known_keys(path: &serde_path_to_error::Path) -> String {
    match path.to_string().trim_end_matches(".?") {
        "?" => ".".to_owned(),
        known => known.to_owned(),
    }
}

/// The message of an error without the place that serde_json adds to it.
fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&place).unwrap_or(&message).to_owned()
}
