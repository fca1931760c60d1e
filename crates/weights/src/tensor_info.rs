//! What is known of a tensor before its values are read.

use std::path::{Path, PathBuf};

use burn_store::pytorch_reader;
use safetensors::Dtype;

use crate::file_state::FileState;
use crate::{CheckpointError, values};

/// Reads what one file says about its tensors, in the order of their names.
pub(crate) type ReadTensors = fn(&Path) -> Result<Vec<TensorInfo>, CheckpointError>;

/// What a checkpoint says about one of its tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// The name as it stands in the file, without the prefix of a [wrapper](crate::Checkpoint::without_wrapper).
    pub name: String,
    /// The type of its values.
    pub dtype: Dtype,
    /// The shape, in the checkpoint's layout.
    pub shape: Vec<usize>,
    /// The file that holds it.
    pub file: PathBuf,
    pub(crate) source: Source,
    /// The file when its header was read.
    pub(crate) state: FileState,
    pub(crate) byte_len: usize,
}

impl TensorInfo {
    /// Its values in row-major order, as F32.
    ///
    /// # Errors
    /// [`CheckpointError`] when the values are no floating-point numbers, or the file cannot be read any more.
    pub fn floats(&self) -> Result<Vec<f32>, CheckpointError> {
        values::floats(self)
    }

    /// Whether the file is one of pickled weights.
    pub fn is_pickled(&self) -> bool {
        matches!(self.source, Source::Pickled(_))
    }
}

/// Where the values of a tensor are.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// In one piece of the file, which begins at this byte.
    At(u64),
    /// In a storage of a pickled file, possibly strided.
    Pickled(pytorch_reader::Tensor),
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::At(left), Self::At(right)) => left == right,
            // A file has one tensor of a name.
            (Self::Pickled(left), Self::Pickled(right)) => left.name == right.name,
            _ => false,
        }
    }
}

impl Eq for Source {}
