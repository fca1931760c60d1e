//! The size of a checkpoint: counts of tensors, values and bytes.

use std::collections::BTreeMap;

use safetensors::Dtype;

use crate::{Checkpoint, TensorInfo};

/// The size of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointSummary {
    /// How many tensors there are.
    pub tensors: usize,
    /// How many values they hold together, buffers such as `position_ids` included.
    pub parameters: u64,
    /// How many bytes the values take, headers not counted.
    pub bytes: u64,
    /// The same by type of value, the most bytes first.
    pub dtypes: Vec<DtypeSummary>,
}

/// The share of one type of value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DtypeSummary {
    /// The type.
    pub dtype: Dtype,
    /// How many tensors are of this type.
    pub tensors: usize,
    /// How many values they hold.
    pub parameters: u64,
    /// How many bytes they take.
    pub bytes: u64,
}

/// Counts the tensors, values and bytes of a checkpoint from its headers alone.
pub fn summary(checkpoint: &Checkpoint) -> CheckpointSummary {
    summary_of(checkpoint.tensors())
}

/// Counts tensors, values and bytes.
pub fn summary_of(tensors: &[TensorInfo]) -> CheckpointSummary {
    let mut by_dtype: BTreeMap<Dtype, DtypeSummary> = BTreeMap::new();
    for tensor in tensors {
        let empty = DtypeSummary {
            dtype: tensor.dtype,
            tensors: 0,
            parameters: 0,
            bytes: 0,
        };
        let share = by_dtype.entry(tensor.dtype).or_insert(empty);
        share.tensors += 1;
        share.parameters += tensor
            .shape
            .iter()
            .map(|&size| size as u64)
            .product::<u64>();
        share.bytes += tensor.byte_len as u64;
    }
    let mut dtypes: Vec<DtypeSummary> = by_dtype.into_values().collect();
    dtypes.sort_by_key(|share| std::cmp::Reverse(share.bytes));
    CheckpointSummary {
        tensors: tensors.len(),
        parameters: dtypes.iter().map(|share| share.parameters).sum(),
        bytes: dtypes.iter().map(|share| share.bytes).sum(),
        dtypes,
    }
}
