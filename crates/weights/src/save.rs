//! The export of a module as a directory that transformers opens.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::DType;
use burn_store::burn_pack::Tensor as PackTensor;
use burn_store::{
    FloatCastAdapter, ModuleAdapter, ModuleContext, ModuleSnapshot, SafetensorsStore,
    SafetensorsStoreError,
};
use serde_json::{Map, Value};

use crate::layout::{self, CheckpointLayout};
use crate::staging::Staging;
use crate::{
    ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE, CONFIG_FILE, CheckpointError, KeyMap, WEIGHTS_FILE,
    header, values,
};

/// What goes into the directory beside the weights.
#[derive(Debug, Clone)]
pub struct Export<'a> {
    /// `config.json`, with `architectures`, `id2label`, `label2id` and `problem_type` as the caller sets them.
    pub config: Map<String, Value>,
    /// The tokenizer's files, copied under their own names.
    pub tokenizer_files: &'a [PathBuf],
}

/// What goes into the directory of an adapter beside its weights.
#[derive(Debug, Clone)]
pub struct AdapterExport<'a> {
    /// `adapter_config.json`.
    pub adapter_config: Map<String, Value>,
    /// `config.json` of the model with its head, for those who open the directory without its base.
    pub config: Map<String, Value>,
    /// The tokenizer's files, copied under their own names.
    pub tokenizer_files: &'a [PathBuf],
}

/// Why a module cannot be saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// A file lies where the directory should be.
    #[error("{path}: is not a directory; choose another path or remove it")]
    NotADirectory {
        /// The path that was given.
        path: PathBuf,
    },
    /// A directory lies where a file should be.
    #[error("{path}: a directory of this name is in the way")]
    NotAFile {
        /// The path of the file.
        path: PathBuf,
    },
    /// The operating system refused to write.
    #[error("{path}: cannot be written: {reason}")]
    Write {
        /// The path of the file or directory.
        path: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// The weights could not be read from the device or written.
    #[error("{path}: cannot be written: {reason}")]
    Weights {
        /// The path of the file.
        path: PathBuf,
        /// What burn-store says.
        reason: SafetensorsStoreError,
    },
    /// Some weights are NaN or infinite: whoever opened the file would refuse it, or compute nothing with it.
    #[error(
        "{path}: not written, because these weights are NaN or infinite: {}; training has diverged: lower the learning rate, \
         or go on from an earlier checkpoint",
        .names.join(", ")
    )]
    NotFinite {
        /// The path of the file.
        path: PathBuf,
        /// The tensors.
        names: Vec<String>,
    },
    /// What was written could not be read again.
    #[error(transparent)]
    Reread(#[from] CheckpointError),
    /// A file of the tokenizer or `config.json` cannot be copied.
    #[error("{path}: cannot be copied: {reason}")]
    Copy {
        /// The path of the original.
        path: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// A tokenizer file would replace another file of the export, or has no name.
    #[error("{path}: another file of the export has this name")]
    NameTaken {
        /// The path of the original.
        path: PathBuf,
    },
    /// The key map has no name for some parameters.
    #[error("the key map has no name for {} of the model's parameters: {}", .paths.len(), .paths.join(", "))]
    Unmapped {
        /// Their paths in the module.
        paths: Vec<String>,
    },
    /// The parameter is of an integer or boolean type, which no weight of a checkpoint has.
    #[error("the parameter `{path}` does not have a floating-point type and cannot be exported")]
    UnsupportedParameter {
        /// The parameter's path in the module.
        path: String,
    },
}

/// Saves a module as a checkpoint directory: `model.safetensors` in F32 and PyTorch's layout, `config.json` and the
/// tokenizer's files. [`crate::load`] reads back the same bits.
///
/// The directory is created if it does not exist. All files are complete before the first one takes its place, so a
/// failure to write leaves the directory as it was. Files with other names stay. A model with a weight that is NaN or infinite
/// is refused.
///
/// # Errors
/// [`SaveError`], which names the path or the parameters.
pub fn save<M: Module>(
    module: &M,
    keys: &KeyMap,
    export: &Export<'_>,
    dir: &Path,
) -> Result<(), SaveError> {
    let files = Files {
        weights: WEIGHTS_FILE,
        configurations: vec![(CONFIG_FILE, &export.config)],
        tokenizer: export.tokenizer_files,
    };
    files.write(module, tensor_names(module, keys)?, dir)
}

/// Saves some parameters of a module as the directory of an adapter, as PEFT lays it out: `adapter_model.safetensors` in F32
/// and PyTorch's layout, `adapter_config.json`, `config.json` and the tokenizer's files. `names` has the parameters, by their
/// paths in the module, with their names in the file.
///
/// As with [`save`], all files take their places together.
///
/// # Errors
/// [`SaveError`], which names the path.
pub fn save_adapter<M: Module>(
    module: &M,
    names: HashMap<String, String>,
    export: &AdapterExport<'_>,
    dir: &Path,
) -> Result<(), SaveError> {
    let files = Files {
        weights: ADAPTER_WEIGHTS_FILE,
        configurations: vec![
            (CONFIG_FILE, &export.config),
            (ADAPTER_CONFIG_FILE, &export.adapter_config),
        ],
        tokenizer: export.tokenizer_files,
    };
    files.write(module, names, dir)
}

/// The files of a directory.
struct Files<'a> {
    weights: &'static str,
    /// The first one has the permissions that all files should have.
    configurations: Vec<(&'static str, &'a Map<String, Value>)>,
    tokenizer: &'a [PathBuf],
}

impl Files<'_> {
    /// Writes the parameters that have a name, and everything beside them.
    fn write<M: Module>(
        &self,
        module: &M,
        tensor_names: HashMap<String, String>,
        dir: &Path,
    ) -> Result<(), SaveError> {
        let configurations = self.configurations.iter().map(|(name, _)| *name);
        let mut files: Vec<String> = configurations.map(str::to_owned).collect();
        let taken = files.iter().cloned().chain([self.weights.to_owned()]);
        let tokenizer_names = tokenizer_names(self.tokenizer, taken)?;
        files.extend(tokenizer_names.iter().cloned());
        files.push(self.weights.to_owned());

        let staging = Staging::begin(dir, files)?;
        for (name, content) in &self.configurations {
            write_json(content, name, &staging).map_err(|reason| SaveError::Write {
                path: dir.join(name),
                reason,
            })?;
        }
        for (source, name) in self.tokenizer.iter().zip(&tokenizer_names) {
            staging.copy(source, name)?;
        }
        write_weights(module, tensor_names, self.weights, &staging).map_err(|reason| {
            SaveError::Weights {
                path: dir.join(self.weights),
                reason,
            }
        })?;
        check_finite(&staging.path(self.weights), &dir.join(self.weights))?;
        staging.commit()
    }
}

/// Reads the values in `staged`, which is to become the file at `path`.
fn check_finite(staged: &Path, path: &Path) -> Result<(), SaveError> {
    let mut names = Vec::new();
    for tensor in header::read(staged)? {
        if !values::are_finite(&tensor)? {
            names.push(tensor.name);
        }
    }
    match names.is_empty() {
        true => Ok(()),
        false => Err(SaveError::NotFinite {
            path: path.to_owned(),
            names,
        }),
    }
}

/// The checkpoint's name of every parameter, by module path.
fn tensor_names<M: Module>(
    module: &M,
    keys: &KeyMap,
) -> Result<HashMap<String, String>, SaveError> {
    let parameters = layout::parameters(module);
    if let Some(parameter) = parameters.iter().find(|parameter| !parameter.is_float) {
        return Err(SaveError::UnsupportedParameter {
            path: parameter.path.clone(),
        });
    }
    let mut names = HashMap::new();
    let mut unmapped = Vec::new();
    for parameter in parameters {
        match keys.checkpoint_name(&parameter.path) {
            Some(name) => drop(names.insert(parameter.path, name)),
            None => unmapped.push(parameter.path),
        }
    }
    if unmapped.is_empty() {
        Ok(names)
    } else {
        Err(SaveError::Unmapped { paths: unmapped })
    }
}

fn tokenizer_names(
    files: &[PathBuf],
    taken: impl Iterator<Item = String>,
) -> Result<Vec<String>, SaveError> {
    let mut taken: BTreeSet<String> = taken.collect();
    files
        .iter()
        .map(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .map(str::to_owned);
            name.filter(|name| taken.insert(name.clone()))
                .ok_or_else(|| SaveError::NameTaken { path: path.clone() })
        })
        .collect()
}

/// Writes a JSON file as transformers lays it out.
pub(crate) fn write_json(
    content: &Map<String, Value>,
    name: &str,
    staging: &Staging,
) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(content)?;
    text.push(b'\n');
    staging.write(name, text.as_slice())
}

fn write_weights<M: Module>(
    module: &M,
    names: HashMap<String, String>,
    file: &str,
    staging: &Staging,
) -> Result<(), SafetensorsStoreError> {
    let path = staging.path(file);
    // The store selects tensors by the names that they have in the file.
    let selected: Vec<String> = names.values().cloned().collect();
    let adapter = CheckpointLayout
        .chain(FloatCastAdapter::to(DType::F32))
        .chain(CheckpointNames { names });
    let mut store = SafetensorsStore::from_file(&path)
        .clear_metadata()
        .metadata("format", "pt")
        .with_full_paths(selected)
        .with_to_adapter(adapter);
    module.save_into(&mut store)?;
    // The store's own temporary file is readable by its owner alone; config.json has the directory's usual bits.
    let usual = fs::metadata(staging.path(CONFIG_FILE))?.permissions();
    Ok(fs::set_permissions(path, usual)?)
}

/// Gives every tensor its name in the checkpoint.
#[derive(Debug, Clone)]
struct CheckpointNames {
    names: HashMap<String, String>,
}

impl ModuleAdapter for CheckpointNames {
    fn adapt(&self, mut tensor: PackTensor, _ctx: ModuleContext<'_>) -> PackTensor {
        if let Some(name) = self.names.get(&tensor.name) {
            tensor.name.clone_from(name);
        }
        tensor
    }

    fn clone_box(&self) -> Box<dyn ModuleAdapter> {
        Box::new(self.clone())
    }
}
