//! The header of one safetensors file, checked against the file it stands in.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use bert_json::UniqueKeys;
use safetensors::tensor::Metadata as Header;

use crate::file_state::FileState;
use crate::tensor_info::Source;
use crate::{CheckpointError, TensorInfo};

/// The 8 bytes before the header, which hold its length.
const LENGTH_BYTES: u64 = 8;
/// The limit that the safetensors format sets.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// The tensors of one file, in the order of their names.
pub(crate) fn read(path: &Path) -> Result<Vec<TensorInfo>, CheckpointError> {
    let io_error = |reason| CheckpointError::Io {
        path: path.to_owned(),
        reason,
    };
    file_metadata(path)?;
    let mut file = File::open(path).map_err(io_error)?;
    let metadata = file.metadata().map_err(io_error)?;
    let (file_len, state) = (metadata.len(), FileState::of(&metadata));
    let header_len = header_length(&mut file, path, file_len)?;
    let mut header = Vec::new();
    file.take(header_len)
        .read_to_end(&mut header)
        .map_err(io_error)?;
    let header = parse(&header).map_err(|error| CheckpointError::InvalidHeader {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;

    let data_start = LENGTH_BYTES + header_len;
    let expected = data_start.saturating_add(header.data_len() as u64);
    if expected != file_len {
        return Err(CheckpointError::WrongLength {
            path: path.to_owned(),
            expected,
            found: file_len,
        });
    }
    Ok(tensors(&header, path, data_start, state))
}

/// The format forbids a name that stands twice; its reader would take the last.
fn parse(header: &[u8]) -> serde_json::Result<Header> {
    let _: UniqueKeys = serde_json::from_slice(header)?;
    serde_json::from_slice(header)
}

/// What the system says of a regular file.
pub(crate) fn file_metadata(path: &Path) -> Result<Metadata, CheckpointError> {
    let metadata = path.metadata().map_err(|reason| CheckpointError::Io {
        path: path.to_owned(),
        reason,
    })?;
    if !metadata.is_file() {
        return Err(CheckpointError::NotAFile {
            path: path.to_owned(),
        });
    }
    Ok(metadata)
}

fn header_length(file: &mut File, path: &Path, file_len: u64) -> Result<u64, CheckpointError> {
    let mut length = [0; LENGTH_BYTES as usize];
    match file.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(CheckpointError::HeaderCutShort {
                path: path.to_owned(),
                declared: 0,
                found: file_len,
            });
        }
        Err(reason) => {
            return Err(CheckpointError::Io {
                path: path.to_owned(),
                reason,
            });
        }
    }
    let declared = u64::from_le_bytes(length);
    if declared > file_len - LENGTH_BYTES.min(file_len) {
        return Err(CheckpointError::HeaderCutShort {
            path: path.to_owned(),
            declared,
            found: file_len,
        });
    }
    if declared > MAX_HEADER_BYTES {
        return Err(CheckpointError::HeaderTooLarge {
            path: path.to_owned(),
            declared,
            limit: MAX_HEADER_BYTES,
        });
    }
    Ok(declared)
}

fn tensors(header: &Header, path: &Path, data_start: u64, state: FileState) -> Vec<TensorInfo> {
    let mut tensors: Vec<TensorInfo> = header
        .tensors()
        .into_iter()
        .map(|(name, info)| {
            let (begin, end) = info.data_offsets;
            TensorInfo {
                name,
                dtype: info.dtype,
                shape: info.shape.clone(),
                file: path.to_owned(),
                source: Source::At(data_start + begin as u64),
                state,
                byte_len: end - begin,
            }
        })
        .collect();
    tensors.sort_by(|left, right| left.name.cmp(&right.name));
    tensors
}
