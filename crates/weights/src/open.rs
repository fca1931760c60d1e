//! Opening a checkpoint: its files and headers are checked before any value is read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::header::{self, TensorInfo};
use crate::{CONFIG_FILE, CheckpointError, WEIGHTS_FILE, WEIGHTS_INDEX_FILE, shards};

const PICKLED_FILES: [&str; 2] = ["pytorch_model.bin", "pytorch_model.bin.index.json"];
const PICKLED_EXTENSIONS: [&str; 3] = ["bin", "pt", "pth"];

/// A checkpoint whose headers have been read and checked; its values still lie in the files.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    config_path: PathBuf,
    config: Map<String, Value>,
    tensors: Vec<TensorInfo>,
}

impl Checkpoint {
    /// Opens a directory (`config.json` and `model.safetensors`, or an index and its shards) or one `.safetensors`
    /// file with `config.json` beside it. Symbolic links are followed.
    ///
    /// # Errors
    /// [`CheckpointError`] when a file is missing, is not what its name says, or contradicts itself.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        let tensors = read_tensors(path)?;
        let config_path = if path.is_dir() {
            path.join(CONFIG_FILE)
        } else {
            path.with_file_name(CONFIG_FILE)
        };
        if !config_path.exists() {
            return Err(CheckpointError::NoConfig { path: config_path });
        }
        let config = read_json(&config_path)?;
        Ok(Self {
            path: path.to_owned(),
            config_path,
            config,
            tensors,
        })
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `config.json` as it stands in the file: every key, in the file's order.
    pub fn config(&self) -> &Map<String, Value> {
        &self.config
    }

    /// Every tensor of every file, in the order of their names.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }
}

/// The tensors of a directory or of one `.safetensors` file, in the order of their names. `config.json` is not read and
/// need not be there.
///
/// # Errors
/// [`CheckpointError`] when a file is missing, is not what its name says, or contradicts itself.
pub fn read_tensors(path: impl AsRef<Path>) -> Result<Vec<TensorInfo>, CheckpointError> {
    let path = path.as_ref();
    if !path.exists() {
        return Err(CheckpointError::NotFound {
            path: path.to_owned(),
        });
    }
    if path.is_dir() {
        directory_tensors(path)
    } else {
        file_tensors(path)
    }
}

/// Reads `config.json` into a typed configuration.
///
/// # Errors
/// [`CheckpointError::ConfigKey`], which names `config.json` and the key at fault.
pub fn read_config<T: DeserializeOwned>(checkpoint: &Checkpoint) -> Result<T, CheckpointError> {
    let config = Value::Object(checkpoint.config.clone());
    serde_path_to_error::deserialize(config).map_err(|error| CheckpointError::ConfigKey {
        path: checkpoint.config_path.clone(),
        key: error.path().to_string(),
        reason: error.inner().to_string(),
    })
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, CheckpointError> {
    let io_error = |reason| CheckpointError::Io {
        path: path.to_owned(),
        reason,
    };
    if !path.metadata().map_err(io_error)?.is_file() {
        return Err(CheckpointError::NotAFile {
            path: path.to_owned(),
        });
    }
    let text = fs::read(path).map_err(io_error)?;
    Ok(bert_json::from_slice(path, &text)?)
}

fn directory_tensors(directory: &Path) -> Result<Vec<TensorInfo>, CheckpointError> {
    if let Some(weights) = entry(directory, WEIGHTS_FILE)? {
        return header::read(&weights);
    }
    if let Some(index) = entry(directory, WEIGHTS_INDEX_FILE)? {
        return shards::read(&index);
    }
    let pickled = PICKLED_FILES
        .iter()
        .map(|name| directory.join(name))
        .find(|path| path.exists());
    Err(match pickled {
        Some(path) => CheckpointError::OnlyPickledWeights { path },
        None => CheckpointError::NoWeights {
            path: directory.to_owned(),
        },
    })
}

/// The directory's entry of this name, if there is one. A broken symbolic link counts as an entry and fails when it is
/// read.
fn entry(directory: &Path, name: &str) -> Result<Option<PathBuf>, CheckpointError> {
    let path = directory.join(name);
    match fs::symlink_metadata(&path) {
        Ok(_) => Ok(Some(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(reason) => Err(CheckpointError::Io { path, reason }),
    }
}

fn file_tensors(path: &Path) -> Result<Vec<TensorInfo>, CheckpointError> {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    match extension {
        "safetensors" => header::read(path),
        pickled if PICKLED_EXTENSIONS.contains(&pickled) => {
            Err(CheckpointError::OnlyPickledWeights {
                path: path.to_owned(),
            })
        }
        _ => Err(CheckpointError::NotSafetensors {
            path: path.to_owned(),
        }),
    }
}
