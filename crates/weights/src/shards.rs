//! Weights split over several files, and the index that says where each tensor is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::tensor_info::ReadTensors;
use crate::{CheckpointError, TensorInfo, open};

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The tensors of every shard that the index names, in the order of their names. `read_shard` reads one of them.
pub(crate) fn read(
    index_path: &Path,
    read_shard: ReadTensors,
) -> Result<Vec<TensorInfo>, CheckpointError> {
    let index: Index = open::read_json(index_path)?;
    let shards: BTreeSet<&str> = index.weight_map.values().map(String::as_str).collect();
    let mut tensors: BTreeMap<String, TensorInfo> = BTreeMap::new();
    for shard in shards {
        for tensor in read_shard(&shard_path(index_path, shard)?)? {
            insert_once(&mut tensors, tensor)?;
        }
    }
    for (name, shard) in &index.weight_map {
        let in_shard = tensors
            .get(name)
            .is_some_and(|tensor| tensor.file.ends_with(shard));
        if !in_shard {
            return Err(CheckpointError::MissingInShard {
                index: index_path.to_owned(),
                tensor: name.clone(),
                shard: shard.clone(),
            });
        }
    }
    Ok(tensors.into_values().collect())
}

fn insert_once(
    tensors: &mut BTreeMap<String, TensorInfo>,
    tensor: TensorInfo,
) -> Result<(), CheckpointError> {
    if let Some(first) = tensors.get(&tensor.name) {
        return Err(CheckpointError::DuplicateTensor {
            tensor: tensor.name,
            first: first.file.clone(),
            second: tensor.file,
        });
    }
    tensors.insert(tensor.name.clone(), tensor);
    Ok(())
}

/// A shard must be a bare file name, so that an index cannot lead out of its directory. The file itself may be a symbolic
/// link, as it is in the hub's cache.
fn shard_path(index: &Path, shard: &str) -> Result<PathBuf, CheckpointError> {
    let mut components = Path::new(shard).components();
    let is_bare = matches!((components.next(), components.next()), (Some(Component::Normal(name)), None) if name == shard);
    if !is_bare || shard.contains(['/', '\\']) {
        return Err(CheckpointError::ShardOutsideDirectory {
            index: index.to_owned(),
            shard: shard.to_owned(),
        });
    }
    let path = index.with_file_name(shard);
    if path.exists() {
        Ok(path)
    } else {
        Err(CheckpointError::MissingShard { path })
    }
}
