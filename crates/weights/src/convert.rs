//! A checkpoint of any format as a directory with `model.safetensors`, tensor by tensor.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use crate::cast::FloatType;
use crate::save::{self, SaveError};
use crate::staging::Staging;
use crate::{CONFIG_FILE, Checkpoint, CheckpointError, TensorInfo, WEIGHTS_FILE, values};

/// The header is a multiple of so many bytes long, so that the values behind it are aligned.
const ALIGNMENT: usize = 8;

/// Why a checkpoint cannot be converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// A file of the checkpoint cannot be read any more.
    #[error(transparent)]
    Read(#[from] CheckpointError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] SaveError),
    /// Two tensors have one name.
    #[error("the checkpoint has two tensors of the name `{name}`")]
    Twice {
        /// The name.
        name: String,
    },
    /// A value is too large for the type that is wanted.
    #[error(
        "the tensor `{name}` holds {value:e}, which is beyond the range of {dtype}; bfloat16 has the range of float32"
    )]
    OutOfRange {
        /// Of the tensor.
        name: String,
        /// The first such value.
        value: f64,
        /// The type that is wanted, as config.json names it.
        dtype: &'static str,
    },
}

/// A tensor, and the type in which its values are written.
struct Written<'a> {
    tensor: &'a TensorInfo,
    dtype: Dtype,
}

impl Written<'_> {
    fn byte_len(&self) -> usize {
        if self.dtype == self.tensor.dtype {
            return self.tensor.byte_len;
        }
        self.tensor.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }
}

/// Writes a checkpoint as a directory that transformers opens: `model.safetensors` with the same tensors, bit for bit, and
/// copies of `config.json` and of further files. `names` are their paths within the checkpoint's directory, with `/` between
/// folders, such as `vocab.txt` and `1_Pooling/config.json`.
///
/// The directory is created if it does not exist. All files are complete before the first one takes its place, so a
/// failure leaves the directory as it was.
///
/// # Errors
/// [`ConvertError`], which names the path or the tensor.
pub fn convert(checkpoint: &Checkpoint, names: &[String], dir: &Path) -> Result<(), ConvertError> {
    write(checkpoint, None, names, dir)
}

/// As [`convert`], but every floating-point value becomes one of this type, and `dtype` of `config.json` says so. Tensors of
/// other types stay as they are.
///
/// # Errors
/// [`ConvertError`], which names the path or the tensor.
pub fn convert_to(
    checkpoint: &Checkpoint,
    float: FloatType,
    names: &[String],
    dir: &Path,
) -> Result<(), ConvertError> {
    write(checkpoint, Some(float), names, dir)
}

fn write(
    checkpoint: &Checkpoint,
    float: Option<FloatType>,
    names: &[String],
    dir: &Path,
) -> Result<(), ConvertError> {
    let tensors = in_order(checkpoint.tensors(), float)?;
    let source = checkpoint.directory();
    let mut copied = vec![CONFIG_FILE.to_owned()];
    for name in names {
        if name == WEIGHTS_FILE || copied.contains(name) {
            let path = source.join(name);
            return Err(SaveError::NameTaken { path }.into());
        }
        copied.push(name.clone());
    }
    let weights = WEIGHTS_FILE.to_owned();
    let staging = Staging::begin(dir, copied.iter().cloned().chain([weights]).collect())?;
    for name in copied.iter().skip(usize::from(float.is_some())) {
        staging.copy(&source.join(name), name)?;
    }
    if let Some(float) = float {
        let path = dir.join(CONFIG_FILE);
        save::write_json(&float.stated_in(checkpoint.config()), CONFIG_FILE, &staging)
            .map_err(|reason| SaveError::Write { path, reason })?;
    }
    write_weights(&tensors, float, &staging, dir)?;
    Ok(staging.commit()?)
}

/// The tensors in the order of the safetensors library: the widest type first, so that every value is aligned.
fn in_order(
    tensors: &[TensorInfo],
    float: Option<FloatType>,
) -> Result<Vec<Written<'_>>, ConvertError> {
    let written = |tensor| Written {
        tensor,
        dtype: float.map_or(tensor.dtype, |float| float.of(tensor)),
    };
    let mut ordered: Vec<Written<'_>> = tensors.iter().map(written).collect();
    ordered.sort_by(|left, right| {
        let (left_name, right_name) = (&left.tensor.name, &right.tensor.name);
        (Reverse(left.dtype), left_name).cmp(&(Reverse(right.dtype), right_name))
    });
    let mut names: Vec<&String> = tensors.iter().map(|tensor| &tensor.name).collect();
    names.sort();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(ConvertError::Twice {
            name: pair[0].clone(),
        }),
        None => Ok(ordered),
    }
}

fn write_weights(
    tensors: &[Written<'_>],
    float: Option<FloatType>,
    staging: &Staging,
    dir: &Path,
) -> Result<(), ConvertError> {
    let unwritable = |reason| SaveError::Write {
        path: dir.join(WEIGHTS_FILE),
        reason,
    };
    let file = File::create(staging.path(WEIGHTS_FILE)).map_err(unwritable)?;
    let mut file = BufWriter::new(file);
    let header = header(tensors).map_err(unwritable)?;
    file.write_all(&header).map_err(unwritable)?;
    for Written { tensor, .. } in tensors {
        each_piece(tensor, |piece| {
            let cast = float.map(|float| float.cast(tensor, piece)).transpose()?;
            Ok(file
                .write_all(cast.as_deref().unwrap_or(piece))
                .map_err(unwritable)?)
        })?;
    }
    Ok(file.flush().map_err(unwritable)?)
}

/// Hands the bytes of a tensor to `write`, piece by piece, each of whole values.
fn each_piece(
    tensor: &TensorInfo,
    mut write: impl FnMut(&[u8]) -> Result<(), ConvertError>,
) -> Result<(), ConvertError> {
    let unreadable = |reason| values::unreadable(tensor, reason);
    let mut values = values::stream(tensor).map_err(unreadable)?;
    let mut piece = vec![0; values::PIECE_BYTES.min(tensor.byte_len)];
    let mut rest = tensor.byte_len;
    while rest > 0 {
        let length = rest.min(piece.len());
        let piece = &mut piece[..length];
        values.read_exact(piece).map_err(unreadable)?;
        write(piece)?;
        rest -= length;
    }
    Ok(())
}

/// The length of the header, and the header.
fn header(tensors: &[Written<'_>]) -> io::Result<Vec<u8>> {
    let mut end = 0;
    let described = tensors.iter().map(|written| {
        let begin = end;
        end += written.byte_len();
        let info = safetensors::tensor::TensorInfo {
            dtype: written.dtype,
            shape: written.tensor.shape.clone(),
            data_offsets: (begin, end),
        };
        (written.tensor.name.clone(), info)
    });
    let described = described.collect();
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let metadata = Metadata::new(Some(format), described).map_err(io::Error::other)?;
    let mut text = serde_json::to_vec(&metadata)?;
    text.resize(text.len().next_multiple_of(ALIGNMENT), b' ');
    let length = (text.len() as u64).to_le_bytes();
    Ok([length.as_slice(), &text].concat())
}
