//! Whether parts of two checkpoints are the same bytes.

use std::collections::BTreeMap;
use std::fmt;

use crate::names;
use crate::values;
use crate::{Checkpoint, CheckpointError, KeyMap, TensorInfo};

/// A tensor in which two checkpoints differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name with the base-model prefix, as current versions of transformers write it.
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
    /// The values differ.
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

/// The first tensor, by name, that lies under one of the prefixes and is not the same bytes in both checkpoints. `keys` has
/// the base-model prefix, which may be present or absent in either checkpoint, and the buffers, which are not compared.
///
/// # Errors
/// [`CheckpointError::Io`] when a file cannot be read any more.
pub fn first_difference(
    first: &Checkpoint,
    second: &Checkpoint,
    keys: &KeyMap,
    prefixes: &[&str],
) -> Result<Option<Difference>, CheckpointError> {
    let prefixes: Vec<String> = prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
    let (mut left, right) = (
        under(first, keys, &prefixes),
        under(second, keys, &prefixes),
    );
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

/// The tensors under one of the prefixes, by their current names with the base-model prefix.
fn under<'a>(
    checkpoint: &'a Checkpoint,
    keys: &KeyMap,
    prefixes: &[String],
) -> BTreeMap<String, Option<&'a TensorInfo>> {
    let tensors = checkpoint.tensors().iter();
    tensors
        .filter(|tensor| !names::is_buffer(&tensor.name, keys))
        .filter(|tensor| names::is_under_any(&tensor.name, prefixes, keys))
        .map(|tensor| (names::with_base_prefix(&tensor.name, keys), Some(tensor)))
        .collect()
}
