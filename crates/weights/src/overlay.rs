//! Tensors of another file in the place of a checkpoint's own.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use crate::{Checkpoint, KeyMap, TensorInfo, names};

impl Checkpoint {
    /// The same checkpoint with other tensors in the place of those that mean the same parameters, or beside them, and with
    /// another configuration. Errors name `path` from now on. The base-model prefix of `keys` may be present or absent in
    /// either's names.
    #[must_use]
    pub fn overlaid(
        mut self,
        tensors: Vec<TensorInfo>,
        config: Map<String, Value>,
        path: &Path,
        keys: &KeyMap,
    ) -> Self {
        let replaced: BTreeSet<String> = tensors
            .iter()
            .map(|tensor| names::with_base_prefix(&tensor.name, keys))
            .collect();
        self.tensors
            .retain(|tensor| !replaced.contains(&names::with_base_prefix(&tensor.name, keys)));
        self.tensors.extend(tensors);
        self.tensors
            .sort_by(|left, right| left.name.cmp(&right.name));
        self.config = config;
        path.clone_into(&mut self.path);
        self
    }
}
