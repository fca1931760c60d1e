//! The values of one tensor, read from its file on demand.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use burn::tensor::{DType, Shape, TensorData};
use burn_store::burn_pack::{Bytes, Error as PackError, Tensor as PackTensor};
use burn_store::pytorch_reader;
use safetensors::Dtype;

use crate::file_state::Unchanged;
use crate::tensor_info::Source;
use crate::{CheckpointError, TensorInfo};

/// How much of a tensor is compared or copied at a time.
pub(crate) const PIECE_BYTES: usize = 1 << 20;

/// The floating-point types that weights come in; all of them are loaded as F32.
pub(crate) fn float_dtype(dtype: Dtype) -> Option<DType> {
    match dtype {
        Dtype::F16 => Some(DType::F16),
        Dtype::BF16 => Some(DType::BF16),
        Dtype::F32 => Some(DType::F32),
        Dtype::F64 => Some(DType::F64),
        _ => None,
    }
}

/// How a file spells one of the types of [`float_dtype`].
pub(crate) fn file_dtype(dtype: DType) -> Option<Dtype> {
    match dtype {
        DType::F16 => Some(Dtype::F16),
        DType::BF16 => Some(Dtype::BF16),
        DType::F32 => Some(Dtype::F32),
        DType::F64 => Some(Dtype::F64),
        _ => None,
    }
}

/// Whether every value is finite as an F32. Values of types that are not in [`float_dtype`] always are.
///
/// # Errors
/// [`CheckpointError::Io`] when the file cannot be read any more.
pub(crate) fn are_finite(tensor: &TensorInfo) -> Result<bool, CheckpointError> {
    let bytes = read(tensor).map_err(|reason| unreadable(tensor, reason))?;
    Ok(match tensor.dtype {
        Dtype::F16 => all_values(&bytes, |bytes| u16::from_le_bytes(bytes) & 0x7c00 != 0x7c00),
        Dtype::BF16 => all_values(&bytes, |bytes| u16::from_le_bytes(bytes) & 0x7f80 != 0x7f80),
        Dtype::F32 => all_values(&bytes, |bytes| f32::from_le_bytes(bytes).is_finite()),
        Dtype::F64 => all_values(&bytes, |bytes| {
            (f64::from_le_bytes(bytes) as f32).is_finite()
        }),
        _ => true,
    })
}

/// Whether two tensors are the same in shape, type and bytes. They are read piece by piece, because one tensor can be half
/// of a model.
///
/// # Errors
/// [`CheckpointError::Io`] when a file cannot be read any more.
pub(crate) fn are_equal(left: &TensorInfo, right: &TensorInfo) -> Result<bool, CheckpointError> {
    if (left.dtype, &left.shape) != (right.dtype, &right.shape) {
        return Ok(false);
    }
    let mut pieces = [vec![0; PIECE_BYTES], vec![0; PIECE_BYTES]];
    let start = |tensor: &TensorInfo| stream(tensor).map_err(|reason| unreadable(tensor, reason));
    let mut files = [start(left)?, start(right)?];
    let mut rest = left.byte_len;
    while rest > 0 {
        let length = rest.min(PIECE_BYTES);
        for ((piece, file), tensor) in pieces.iter_mut().zip(&mut files).zip([left, right]) {
            let read = file.read_exact(&mut piece[..length]);
            read.map_err(|reason| unreadable(tensor, reason))?;
        }
        if pieces[0][..length] != pieces[1][..length] {
            return Ok(false);
        }
        rest -= length;
    }
    Ok(true)
}

/// The bytes of a tensor, row by row.
pub(crate) fn stream(tensor: &TensorInfo) -> io::Result<Box<dyn Read>> {
    Ok(match &tensor.source {
        Source::At(offset) => {
            let mut file = File::open(&tensor.file)?;
            tensor.state.check(&file.metadata()?)?;
            file.seek(SeekFrom::Start(*offset))?;
            Box::new(Unchanged {
                file: file.take(tensor.byte_len as u64),
                state: tensor.state,
            })
        }
        Source::Pickled(pickled) => Box::new(Cursor::new(unpickled(tensor, pickled)?)),
    })
}

pub(crate) fn unreadable(tensor: &TensorInfo, reason: io::Error) -> CheckpointError {
    CheckpointError::Io {
        path: tensor.file.clone(),
        reason,
    }
}

/// The tensor under the module's path for it; its bytes are read when burn-store applies it, one tensor at a time.
pub(crate) fn deferred(tensor: &TensorInfo, dtype: DType, path: String) -> PackTensor {
    let (shape, byte_len) = (Shape::from(tensor.shape.clone()), tensor.byte_len);
    let tensor = tensor.clone();
    PackTensor::deferred(path, dtype, shape, None, byte_len, move || {
        read(&tensor)
            .map(Bytes::from_bytes_vec)
            .map_err(|error| PackError::IoError(format!("{}: {error}", tensor.file.display())))
    })
}

/// All values as F32.
pub(crate) fn floats(tensor: &TensorInfo) -> Result<Vec<f32>, CheckpointError> {
    let bytes = read(tensor).map_err(|reason| unreadable(tensor, reason))?;
    let Some(dtype) = float_dtype(tensor.dtype) else {
        return Err(unreadable(
            tensor,
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "`{}` has values of type {:?}, and weights are floating-point numbers",
                    tensor.name, tensor.dtype
                ),
            ),
        ));
    };
    let data = TensorData::from_bytes_vec(bytes, Shape::from(tensor.shape.clone()), dtype);
    Ok(data.iter::<f32>().collect())
}

pub(crate) fn read(tensor: &TensorInfo) -> io::Result<Vec<u8>> {
    if let Source::Pickled(pickled) = &tensor.source {
        return unpickled(tensor, pickled);
    }
    let mut bytes = vec![0; tensor.byte_len];
    stream(tensor)?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn unpickled(tensor: &TensorInfo, pickled: &pytorch_reader::Tensor) -> io::Result<Vec<u8>> {
    tensor.state.check_path(&tensor.file)?;
    let bytes = pickled.read()?;
    tensor.state.check_path(&tensor.file)?;
    Ok(bytes)
}

fn all_values<const N: usize>(bytes: &[u8], holds: impl Fn([u8; N]) -> bool) -> bool {
    bytes.as_chunks::<N>().0.iter().all(|value| holds(*value))
}
