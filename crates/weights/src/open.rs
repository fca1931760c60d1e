//! Opening a checkpoint: its files and headers are checked before any value is read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::tensor_info::ReadTensors;
use crate::{
    CONFIG_FILE, CheckpointError, KeyMap, PICKLED_FILE, PICKLED_INDEX_FILE, TensorInfo,
    WEIGHTS_FILE, WEIGHTS_INDEX_FILE, foreign, header, pickled, shards, values, wrapper,
};

/// The values of these names of files are pickled.
const PICKLED_EXTENSIONS: [&str; 3] = ["bin", "pt", "pth"];

/// A checkpoint whose headers have been read and checked; its values still lie in the files.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    pub(crate) path: PathBuf,
    config_path: PathBuf,
    pub(crate) config: Map<String, Value>,
    pub(crate) tensors: Vec<TensorInfo>,
    wrapper: String,
}

impl Checkpoint {
    /// Opens a directory (`config.json` and weights) or one file of weights with `config.json` beside it. The weights are
    /// the first that is there of `model.safetensors`, its index with shards, `pytorch_model.bin`, its index with shards.
    /// Pickled weights are read without running them. Symbolic links are followed.
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
            wrapper: String::new(),
        })
    }

    /// The same checkpoint without the prefix of a wrapper before the names of its tensors: `module.` of
    /// `DataParallel`, `_orig_mod.` of `torch.compile`, `model.` or `net.` of Lightning, `state_dict.` of a
    /// dictionary around the weights, and several of these together. The prefix goes only where the map knows no tensor of
    /// the checkpoint as it stands, and knows some once the prefix is gone. Tensors without it keep their names.
    #[must_use]
    pub fn without_wrapper(mut self, keys: &KeyMap) -> Self {
        if let Some(prefix) = wrapper::prefix(&self.tensors, keys) {
            for tensor in &mut self.tensors {
                if let Some(bare) = tensor.name.strip_prefix(&prefix) {
                    tensor.name = bare.to_owned();
                }
            }
            self.tensors
                .sort_by(|left, right| left.name.cmp(&right.name));
            self.wrapper = prefix;
        }
        self
    }

    /// The prefix that [`without_wrapper`](Self::without_wrapper) has taken from the names of the tensors.
    pub fn wrapper(&self) -> Option<&str> {
        Some(self.wrapper.as_str()).filter(|prefix| !prefix.is_empty())
    }

    /// A file of pickled weights that belongs to the checkpoint.
    pub fn pickled_file(&self) -> Option<&Path> {
        let pickled = self.tensors.iter().find(|tensor| tensor.is_pickled())?;
        Some(&pickled.file)
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses quantised weights, which are no floating-point numbers. A configuration may keep the settings of a
    /// quantisation that the weights no longer have.
    pub(crate) fn reject_quantised(&self) -> Result<(), CheckpointError> {
        let Some(Value::Object(quantisation)) = self.config.get("quantization_config") else {
            return Ok(());
        };
        let is_quantised = |tensor: &&TensorInfo| {
            tensor.name.contains("weight") && values::float_dtype(tensor.dtype).is_none()
        };
        let method = quantisation.get("quant_method").and_then(Value::as_str);
        match self.tensors.iter().find(is_quantised) {
            Some(tensor) => Err(CheckpointError::Quantised {
                path: self.config_path.clone(),
                tensor: tensor.name.clone(),
                method: method.unwrap_or("of an unknown method").to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// The directory that `config.json` lies in.
    pub fn directory(&self) -> &Path {
        match self.config_path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
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

/// The tensors of a directory or of one file of weights, in the order of their names. `config.json` is not read and need
/// not be there.
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

/// Reads a JSON file as Python writes it. A key may stand once in an object.
///
/// # Errors
/// [`CheckpointError`] when the file cannot be read or is not such a file.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, CheckpointError> {
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
    Ok(bert_json::from_slice_unique(path, &text)?)
}

fn directory_tensors(directory: &Path) -> Result<Vec<TensorInfo>, CheckpointError> {
    let readers: [(&str, ReadTensors); 4] = [
        (WEIGHTS_FILE, header::read),
        (WEIGHTS_INDEX_FILE, |index| {
            shards::read(index, header::read)
        }),
        (PICKLED_FILE, pickled::read),
        (PICKLED_INDEX_FILE, |index| {
            shards::read(index, pickled::read)
        }),
    ];
    for (name, read) in readers {
        if let Some(path) = entry(directory, name)? {
            return read(&path);
        }
    }
    Err(
        foreign::directory(directory).unwrap_or_else(|| CheckpointError::NoWeights {
            path: directory.to_owned(),
        }),
    )
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
        pickled if PICKLED_EXTENSIONS.contains(&pickled) => pickled::read(path),
        _ => Err(
            foreign::file(path).unwrap_or_else(|| CheckpointError::NotWeights {
                path: path.to_owned(),
            }),
        ),
    }
}
