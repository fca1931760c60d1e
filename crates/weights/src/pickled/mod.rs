//! Weights that `torch.save` has pickled, read without running them.
//!
//! A pickle is a program for Python's unpickler. burn-store's reader follows it and calls nothing. Before that, a scan makes
//! sure that the pickle asks for nothing but tensors, that no tensor is larger than the file, and that it nests no deeper
//! than such a dictionary does.

mod container;
mod fault;
mod input;
mod scan;

use std::path::Path;

use burn_store::pytorch_reader::{self, PytorchReader};
use safetensors::Dtype;

pub use fault::{PickleFault, PicklePlace};

use crate::file_state::FileState;
use crate::tensor_info::Source;
use crate::{CheckpointError, TensorInfo, header};

/// The tensors of one file, in the order of their names.
pub(crate) fn read(path: &Path) -> Result<Vec<TensorInfo>, CheckpointError> {
    let metadata = header::file_metadata(path)?;
    let (file_len, state) = (metadata.len(), FileState::of(&metadata));
    let refused = |reason| CheckpointError::Pickle {
        path: path.to_owned(),
        reason,
    };
    container::scan_file(path, file_len)
        .map_err(|reason| CheckpointError::Io {
            path: path.to_owned(),
            reason,
        })?
        .map_err(refused)?;
    let reader = PytorchReader::new(path).map_err(|error| {
        refused(PickleFault::Reader {
            reason: error.to_string(),
        })
    })?;
    let tensors = reader.into_tensors().into_values();
    let mut tensors = tensors
        .map(|tensor| describe(path, (file_len, state), tensor))
        .collect::<Result<Vec<_>, _>>()
        .map_err(refused)?;
    if tensors.is_empty() {
        return Err(refused(PickleFault::NoTensors));
    }
    tensors.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(tensors)
}

fn describe(
    path: &Path,
    (file_len, state): (u64, FileState),
    tensor: pytorch_reader::Tensor,
) -> Result<TensorInfo, PickleFault> {
    let byte_len = tensor.byte_len();
    if byte_len as u64 > file_len {
        return Err(PickleFault::Reader {
            reason: format!(
                "the tensor `{}` would take {byte_len} bytes, and the file has {file_len}",
                tensor.name
            ),
        });
    }
    Ok(TensorInfo {
        name: tensor.name.clone(),
        dtype: dtype(tensor.dtype()),
        shape: tensor.shape().to_vec(),
        file: path.to_owned(),
        source: Source::Pickled(tensor),
        state,
        byte_len,
    })
}

fn dtype(dtype: pytorch_reader::DType) -> Dtype {
    match dtype {
        pytorch_reader::DType::F64 => Dtype::F64,
        pytorch_reader::DType::F32 => Dtype::F32,
        pytorch_reader::DType::F16 => Dtype::F16,
        pytorch_reader::DType::BF16 => Dtype::BF16,
        pytorch_reader::DType::I64 => Dtype::I64,
        pytorch_reader::DType::I32 => Dtype::I32,
        pytorch_reader::DType::I16 => Dtype::I16,
        pytorch_reader::DType::I8 => Dtype::I8,
        pytorch_reader::DType::U64 => Dtype::U64,
        pytorch_reader::DType::U32 => Dtype::U32,
        pytorch_reader::DType::U16 => Dtype::U16,
        pytorch_reader::DType::U8 => Dtype::U8,
        pytorch_reader::DType::Bool => Dtype::BOOL,
    }
}
