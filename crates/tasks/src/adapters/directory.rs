//! The directory of an adapter, opened over its base model.

use std::path::{Path, PathBuf};

use bert_encoder::ModelType;
use bert_hub::{AskHub, FetchOptions, Fetcher, HubName};
use bert_weights::{
    ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE, CONFIG_FILE, Checkpoint, TensorInfo, WEIGHTS_FILE,
    read_json, read_tensors,
};
use serde_json::{Map, Value, json};

use super::AdapterError;
use super::config::AdapterConfig;
use crate::{TaskError, encoder_key_map};

/// Pickled, as old versions of PEFT wrote it.
const PICKLED_WEIGHTS_FILE: &str = "adapter_model.bin";
/// One of these lies beside an adapter that was saved with its tokenizer.
const TOKENIZER_FILES: [&str; 6] = [
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "sentencepiece.bpe.model",
    "spiece.model",
    "spm.model",
];
/// What the name of every tensor of an adapter begins with.
const PREFIX: &str = "base_model.model.";
/// What PEFT puts into the name of a bias that it saves of a map with an adapter.
const BASE_LAYER: &str = ".base_layer.";

/// Whether a directory holds an adapter and no model of its own.
pub fn is_adapter(dir: &Path) -> bool {
    dir.join(ADAPTER_CONFIG_FILE).is_file() && !dir.join(WEIGHTS_FILE).exists()
}

/// The base model of an adapter where it is one of the hub: its name, with the revision if one is pinned. `None` for a
/// directory that is no adapter, or whose base is a path.
///
/// # Errors
///
/// `adapter_config.json` cannot be read.
pub fn base_on_hub(dir: &Path) -> Result<Option<String>, TaskError> {
    if !is_adapter(dir) {
        return Ok(None);
    }
    let config = AdapterConfig::read(dir)?;
    let base = config.base.filter(|base| local(dir, &base.name).is_none());
    Ok(base.map(|base| on_hub(&base.name, base.revision.as_deref())))
}

fn on_hub(name: &str, revision: Option<&str>) -> String {
    match revision {
        Some(revision) => format!("{name}@{revision}"),
        None => name.to_owned(),
    }
}

/// A path as it is, or from the directory of the adapter.
fn local(dir: &Path, name: &str) -> Option<PathBuf> {
    let paths = [PathBuf::from(name), dir.join(name)];
    paths
        .into_iter()
        .find(|path| !name.is_empty() && path.is_dir())
}

/// The low-rank part of an adapter that has been opened. What it holds of a head is part of the checkpoint.
#[derive(Debug, Clone)]
pub(crate) struct Adapter {
    pub(super) config: AdapterConfig,
    /// The file of its tensors.
    pub(super) path: PathBuf,
    pub(super) base: PathBuf,
    /// Without the prefix.
    pub(super) low_rank: Vec<TensorInfo>,
}

impl Adapter {
    /// Opens the adapter of a directory, and the checkpoint of its base model with the adapter's other tensors and
    /// configuration in the place of its own.
    pub(crate) fn open(dir: &Path) -> Result<(Self, Checkpoint), TaskError> {
        let config = AdapterConfig::read(dir)?;
        let base = base_directory(dir, &config)?;
        let path = match dir.join(ADAPTER_WEIGHTS_FILE) {
            path if path.exists() => path,
            path => Some(dir.join(PICKLED_WEIGHTS_FILE))
                .filter(|pickled| pickled.exists())
                .unwrap_or(path),
        };
        let tensors = read_tensors(&path)?;
        let checkpoint = Checkpoint::open(&base)?;
        let model_type = model_type(checkpoint.config());
        let mut adapter = Self {
            config,
            path,
            base,
            low_rank: Vec::new(),
        };
        let mut others = Vec::new();
        for mut tensor in tensors {
            let Some(name) = tensor.name.strip_prefix(PREFIX) else {
                return Err(adapter.unfit(format!(
                    "the name of the tensor `{}` does not begin with `{PREFIX}`",
                    tensor.name
                )));
            };
            tensor.name = name.replace(BASE_LAYER, ".");
            match tensor.name.contains(".lora_") {
                true => adapter.low_rank.push(tensor),
                false => others.push(tensor),
            }
        }
        let config = adapter.model_config(dir, checkpoint.config(), model_type, &others)?;
        let Some(model_type) = model_type else {
            // A family that is not known is refused by whoever reads the configuration.
            return Ok((adapter, checkpoint));
        };
        let keys = encoder_key_map(model_type);
        let checkpoint = checkpoint.without_wrapper(&keys);
        let checkpoint = checkpoint.overlaid(others, config, dir, &keys);
        Ok((adapter, checkpoint))
    }

    /// Where the tokenizer lies: beside the adapter, or with its base model.
    pub(crate) fn tokenizer_directory<'a>(&'a self, dir: &'a Path) -> &'a Path {
        let is_there = |name: &&str| dir.join(name).is_file();
        match TOKENIZER_FILES.iter().any(is_there) {
            true => dir,
            false => &self.base,
        }
    }

    /// An error about tensors that do not fit the base model.
    pub(super) fn unfit(&self, reason: String) -> TaskError {
        AdapterError::OtherBase {
            path: self.path.clone(),
            base: self.base.clone(),
            reason,
        }
        .into()
    }

    /// The directory's own `config.json`, or that of the base model with the head that the adapter has. PEFT writes none.
    fn model_config(
        &self,
        dir: &Path,
        of_base: &Map<String, Value>,
        model_type: Option<ModelType>,
        tensors: &[TensorInfo],
    ) -> Result<Map<String, Value>, TaskError> {
        let own = dir.join(CONFIG_FILE);
        if own.is_file() {
            let own: Map<String, Value> = read_json(&own)?;
            let [mine, theirs] = [&own, of_base].map(|config| config.get("model_type"));
            if mine != theirs {
                let word =
                    |value: Option<&Value>| value.map_or("none".to_owned(), Value::to_string);
                return Err(self.unfit(format!(
                    "its `model_type` is {}, the base model's {}",
                    word(mine),
                    word(theirs)
                )));
            }
            return Ok(own);
        }
        let mut config = of_base.clone();
        if let (Some(model_type), Some(head)) = (model_type, self.config.head) {
            config.insert(
                "architectures".to_owned(),
                json!([model_type.architecture(head)]),
            );
        }
        if let Some(outputs) = outputs_of_classifier(tensors)
            && !names_outputs(&config, outputs)
        {
            for key in ["id2label", "label2id", "num_labels"] {
                config.shift_remove(key);
            }
        }
        Ok(config)
    }
}

fn model_type(config: &Map<String, Value>) -> Option<ModelType> {
    ModelType::from_name(config.get("model_type")?.as_str()?)
}

/// The rows of the classifier's matrix, where the adapter has one.
fn outputs_of_classifier(tensors: &[TensorInfo]) -> Option<usize> {
    let names = ["classifier.weight", "classifier.out_proj.weight"];
    let mut tensors = tensors.iter();
    let classifier = tensors.find(|tensor| names.contains(&tensor.name.as_str()))?;
    classifier.shape.first().copied()
}

fn names_outputs(config: &Map<String, Value>, outputs: usize) -> bool {
    match config.get("id2label") {
        Some(Value::Object(names)) => names.len() == outputs,
        _ => true,
    }
}

/// Where the base model lies: a path, or a model of the hub in the cache.
fn base_directory(dir: &Path, config: &AdapterConfig) -> Result<PathBuf, AdapterError> {
    let Some(base) = &config.base else {
        return Err(AdapterError::Config {
            path: config.path.clone(),
            reason: "there is no `base_model_name_or_path`; set it to the directory or the hub's name of the base model"
                .to_owned(),
        });
    };
    let refuse = |reason: String| AdapterError::Base {
        path: config.path.clone(),
        name: base.name.clone(),
        reason,
    };
    if let Some(path) = local(dir, &base.name) {
        return match is_adapter(&path) {
            false => Ok(path),
            true => Err(refuse("that is an adapter itself".to_owned())),
        };
    }
    let Some(name) = HubName::parse(&on_hub(&base.name, base.revision.as_deref())) else {
        return Err(refuse(
            "there is no such directory; set it to where the base model lies".to_owned(),
        ));
    };
    cached(&name).map_err(|error| {
        refuse(format!(
            "there is no such directory, and in the cache of the hub's models {error}"
        ))
    })
}

/// The directory of a model of the hub, without network.
fn cached(name: &HubName) -> Result<PathBuf, String> {
    let options = FetchOptions::from_env().map_err(|error| error.to_string())?;
    let fetcher = Fetcher::new(FetchOptions {
        offline: true,
        ..options
    });
    let fetched = fetcher.fetch_hub(name, AskHub::WhenNeeded, &mut bert_hub::NoProgress);
    Ok(fetched.map_err(|error| error.to_string())?.dir)
}
