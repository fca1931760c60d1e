//! Whether parts of two checkpoints are the same bytes.

use std::collections::BTreeMap;
use std::fmt;

use crate::names;
use crate::values;
use crate::{Checkpoint, CheckpointError, TensorInfo};

/// A tensor that two checkpoints do not have alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name, as current versions of transformers write it.
    pub name: String,
    /// How it differs.
    pub kind: DifferenceKind,
}

/// How a tensor differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The first checkpoint lacks it.
    MissingInFirst,
    /// The second checkpoint lacks it.
    MissingInSecond,
    /// The values are of another type or shape.
    Layout,
    /// The values are others.
    Values,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.kind {
            DifferenceKind::MissingInFirst => "is only in the second",
            DifferenceKind::MissingInSecond => "is only in the first",
            DifferenceKind::Layout => "has another shape or type",
            DifferenceKind::Values => "has other values",
        };
        write!(f, "tensor `{}` {how}", self.name)
    }
}

/// The first tensor, by name, under one of the prefixes that is not the same bytes in both checkpoints. The prefix `bert.`
/// may be present or absent in either; `embeddings.position_ids` does not count.
///
/// # Errors
/// [`CheckpointError::Io`] when a file cannot be read any more.
pub fn first_difference(
    first: &Checkpoint,
    second: &Checkpoint,
    prefixes: &[&str],
) -> Result<Option<Difference>, CheckpointError> {
    let prefixes: Vec<String> = prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
    let (mut left, right) = (under(first, &prefixes), under(second, &prefixes));
    for name in right.keys() {
        left.entry(name.clone()).or_insert(None);
    }
    for (name, tensor) in left {
        let kind = match (tensor, right.get(&name).copied().flatten()) {
            (None, _) => DifferenceKind::MissingInFirst,
            (_, None) => DifferenceKind::MissingInSecond,
            (Some(a), Some(b)) if (a.dtype, &a.shape) != (b.dtype, &b.shape) => {
                DifferenceKind::Layout
            }
            (Some(a), Some(b)) if !values::are_equal(a, b)? => DifferenceKind::Values,
            _ => continue,
        };
        return Ok(Some(Difference { name, kind }));
    }
    Ok(None)
}

/// By the current name with the prefix.
fn under<'a>(
    checkpoint: &'a Checkpoint,
    prefixes: &[String],
) -> BTreeMap<String, Option<&'a TensorInfo>> {
    let tensors = checkpoint.tensors().iter();
    tensors
        .filter(|tensor| !names::is_position_ids(&tensor.name))
        .filter(|tensor| names::is_under_any(&tensor.name, prefixes))
        .map(|tensor| (names::with_base_prefix(&tensor.name), Some(tensor)))
        .collect()
}
