use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::ReportError;

/// A file of TensorBoard's events: TFRecords, each with an `Event` message of `tensorflow/core/util/event.proto`. The few
/// fields that scalars need are written here by hand.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// What the names of event files begin with.
    pub const PREFIX: &str = "events.out.tfevents.";

    /// Creates a file in `dir` with a name that sorts behind the files of earlier runs, as TensorBoard reads a directory's
    /// files in the order of their names.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn create(dir: &Path) -> Result<Self, ReportError> {
        // The clock may have been set back since those runs.
        let micros = now().as_micros().max(newest_micros(dir) + 1);
        let name = format!(
            "{}{:010}.{:06}.{}.bert",
            Self::PREFIX,
            micros / 1_000_000,
            micros % 1_000_000,
            std::process::id()
        );
        let path = dir.join(name);
        let created = std::fs::create_dir_all(dir).and_then(|()| {
            let mut options = OpenOptions::new();
            options.create_new(true).append(true).open(&path)
        });
        let file = created.map_err(|reason| ReportError::Write {
            path: path.clone(),
            reason,
        })?;
        let mut events = Self { path, file };
        events.write(&version())?;
        Ok(events)
    }

    /// Says that the run goes on, or begins, with this step: TensorBoard forgets what older files of the directory say about
    /// it and later ones.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn start_at(&mut self, step: usize) -> Result<(), ReportError> {
        self.write(&session_start(step))
    }

    /// Writes scalars of one step. Those that are no numbers are left out: TensorBoard cannot draw them.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn scalars(&mut self, step: usize, scalars: &[(&str, f64)]) -> Result<(), ReportError> {
        let finite = scalars.iter().filter(|(_, value)| value.is_finite());
        let values: Vec<u8> = finite
            .flat_map(|(tag, value)| scalar(tag, *value))
            .collect();
        self.write(&event(step, &field_bytes(SUMMARY, &values)))
    }

    fn write(&mut self, fields: &[u8]) -> Result<(), ReportError> {
        let mut event = field_double(WALL_TIME, now().as_secs_f64());
        event.extend_from_slice(fields);
        // One write a record, so that a run that is killed leaves whole records.
        let written = self.file.write_all(&record(&event));
        written.map_err(|reason: io::Error| ReportError::Write {
            path: self.path.clone(),
            reason,
        })
    }
}

/// The time in the name of the newest event file of a directory; 0 where there is none.
fn newest_micros(dir: &Path) -> u128 {
    let entries = dir.read_dir().into_iter().flatten().flatten();
    let micros = entries.filter_map(|entry| micros_of(entry.file_name().to_str()?));
    micros.max().unwrap_or(0)
}

fn micros_of(name: &str) -> Option<u128> {
    let mut parts = name.strip_prefix(EventFile::PREFIX)?.split('.');
    let seconds: u128 = parts.next()?.parse().ok()?;
    let micros: u128 = parts.next()?.parse().ok()?;
    Some(seconds * 1_000_000 + micros)
}

fn now() -> std::time::Duration {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.unwrap_or_default()
}

// Fields of `Event`.
const WALL_TIME: u32 = 1;
const STEP: u32 = 2;
const FILE_VERSION: u32 = 3;
const SUMMARY: u32 = 5;
const SESSION_LOG: u32 = 7;
// Field of `SessionLog`, and its value for a start.
const STATUS: u32 = 1;
const START: u64 = 1;
// Field of `Summary`, and fields of `Summary.Value`.
const VALUE: u32 = 1;
const TAG: u32 = 1;
const SIMPLE_VALUE: u32 = 2;

fn version() -> Vec<u8> {
    field_bytes(FILE_VERSION, b"brain.Event:2")
}

fn session_start(step: usize) -> Vec<u8> {
    let status = field_varint(STATUS, START);
    event(step, &field_bytes(SESSION_LOG, &status))
}

fn event(step: usize, content: &[u8]) -> Vec<u8> {
    let mut fields = field_varint(STEP, step as u64);
    fields.extend_from_slice(content);
    fields
}

fn scalar(tag: &str, value: f64) -> Vec<u8> {
    let mut fields = field_bytes(TAG, tag.as_bytes());
    key(&mut fields, SIMPLE_VALUE, WireType::Fixed32);
    fields.extend_from_slice(&(value as f32).to_le_bytes());
    field_bytes(VALUE, &fields)
}

/// How a field's value is written (protobuf's encoding guide).
#[derive(Clone, Copy)]
enum WireType {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

fn key(into: &mut Vec<u8>, field: u32, wire_type: WireType) {
    varint(into, u64::from(field << 3 | wire_type as u32));
}

fn varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

fn field_varint(field: u32, value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    key(&mut bytes, field, WireType::Varint);
    varint(&mut bytes, value);
    bytes
}

fn field_double(field: u32, value: f64) -> Vec<u8> {
    let mut bytes = Vec::new();
    key(&mut bytes, field, WireType::Fixed64);
    bytes.extend_from_slice(&value.to_le_bytes());
    bytes
}

fn field_bytes(field: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    key(&mut bytes, field, WireType::Bytes);
    varint(&mut bytes, content.len() as u64);
    bytes.extend_from_slice(content);
    bytes
}

/// A TFRecord: length, checksum of the length, content, checksum of the content.
fn record(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let mut bytes = Vec::with_capacity(content.len() + 16);
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(&masked_checksum(&length));
    bytes.extend_from_slice(content);
    bytes.extend_from_slice(&masked_checksum(content));
    bytes
}

/// CRC-32C, rotated and offset, as a checksum of data that holds checksums goes wrong (`tsl/lib/hash/crc32c.h`).
fn masked_checksum(bytes: &[u8]) -> [u8; 4] {
    const OFFSET: u32 = 0xa282_ead8;
    let checksum = crc32c::crc32c(bytes);
    checksum.rotate_right(15).wrapping_add(OFFSET).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_those_of_tensorflow() {
        // Written by tensorboard 2.21 (`RecordWriter`) for the content `abc`.
        assert_eq!(
            record(b"abc"),
            b"\x03\x00\x00\x00\x00\x00\x00\x00\xb0\x99I\x0eabcnW\xf1!"
        );
    }

    #[test]
    fn messages_are_those_of_protobuf() {
        // Made by tensorboard 2.21: `Summary.Value(tag="train/loss", simple_value=0.5)` in a `Summary` in an `Event`.
        let content = event(300, &field_bytes(SUMMARY, &scalar("train/loss", 0.5)));
        assert_eq!(
            content,
            b"\x10\xac\x02*\x13\x0a\x11\x0a\x0atrain/loss\x15\x00\x00\x00?"
        );
        assert_eq!(session_start(300), b"\x10\xac\x02:\x02\x08\x01");
    }
}
