//! Which files of a repository are needed to open its model.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::HubError;
use super::formats;
use super::name::HubName;
use crate::manifest::check_inner_path;

const CONFIG: &str = "config.json";
/// Of sentence-transformers: the modules of a model and their folders.
const MODULES: &str = "modules.json";

/// The index of the largest checkpoints has a tenth of this.
const MOST_JSON_BYTES: u64 = 16 * 1024 * 1024;

/// Beside the weights, in the root and in each module's folder.
const SMALL_FILES: [&str; 15] = [
    CONFIG,
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "bpe.codes",
    "spiece.model",
    "spm.model",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "tokenizer.model",
    "config_sentence_transformers.json",
];

/// Weights in one file, and the index of weights in several, the preferred ones first.
const WEIGHTS: [(&str, &str); 2] = [
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
];

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    class: String,
}

#[derive(Deserialize)]
struct Index {
    weight_map: Map<String, Value>,
}

/// A repository's files, and the means to read one of them.
struct Selection<'a> {
    name: &'a HubName,
    listing: &'a [String],
    obtain: &'a mut dyn FnMut(&str) -> Result<PathBuf, HubError>,
    needed: Vec<String>,
}

/// The files that are needed of those in `listing`. `obtain` brings a file onto this machine; it is asked for those that
/// name others.
///
/// # Errors
/// No configuration, no usable weights, a file that is not what its name says, or what `obtain` returns.
pub(super) fn needed(
    name: &HubName,
    listing: &[String],
    obtain: &mut dyn FnMut(&str) -> Result<PathBuf, HubError>,
) -> Result<Vec<String>, HubError> {
    let mut selection = Selection {
        name,
        listing,
        obtain,
        needed: Vec::new(),
    };
    selection.run()?;
    Ok(selection.needed)
}

impl Selection<'_> {
    fn run(&mut self) -> Result<(), HubError> {
        // The root is where transformers looks; a model of sentence-transformers may have a folder for its encoder.
        let mut has_config = self.has(CONFIG);
        let mut is_usable = self.take_folder("")? && has_config;
        for module in self.modules()? {
            let folder = match module.path.as_str() {
                "" => continue,
                path => format!("{path}/"),
            };
            let has_weights = self.take_folder(&folder)?;
            if module.class.ends_with(".Transformer") {
                let has_own_config = self.has(&format!("{folder}{CONFIG}"));
                has_config |= has_own_config;
                is_usable |= has_weights && has_own_config;
            }
        }
        match is_usable {
            true => Ok(()),
            false => Err(self.unusable(has_config)),
        }
    }

    fn unusable(&self, has_config: bool) -> HubError {
        let has_weights = self.needed.iter().any(|file| is_weights(file));
        let name = self.name.to_string();
        if has_weights && !has_config {
            return HubError::NoConfig { name };
        }
        let (found, advice) = formats::unusable(self.listing);
        HubError::NoWeights {
            name,
            found,
            advice,
        }
    }

    fn has(&self, file: &str) -> bool {
        self.listing.iter().any(|listed| listed == file)
    }

    fn take(&mut self, file: String) {
        if !self.needed.contains(&file) {
            self.needed.push(file);
        }
    }

    /// Takes what a folder needs; says whether it has weights.
    fn take_folder(&mut self, folder: &str) -> Result<bool, HubError> {
        let is_small = |name: &str| {
            let is_sentence_config =
                name.starts_with("sentence_") && name.ends_with("_config.json");
            SMALL_FILES.contains(&name) || is_sentence_config
        };
        let small: Vec<String> = self
            .listing
            .iter()
            .filter(|file| file.strip_prefix(folder).is_some_and(is_small))
            .cloned()
            .collect();
        small.into_iter().for_each(|file| self.take(file));
        for (whole, index) in WEIGHTS {
            let (whole, index) = (format!("{folder}{whole}"), format!("{folder}{index}"));
            if self.has(&whole) {
                self.take(whole);
                return Ok(true);
            }
            if self.has(&index) {
                self.take_shards(folder, index)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn take_shards(&mut self, folder: &str, index: String) -> Result<(), HubError> {
        let Index { weight_map } = self.read(&index)?;
        for shard in weight_map.values() {
            let Some(shard) = shard.as_str() else {
                return Err(
                    self.bad_file(&index, "a tensor of weight_map has no file name".to_owned())
                );
            };
            let path = format!("{folder}{shard}");
            if !self.has(&path) {
                return Err(HubError::MissingShard {
                    name: self.name.to_string(),
                    index,
                    shard: path,
                });
            }
            self.take(path);
        }
        self.take(index);
        Ok(())
    }

    fn modules(&mut self) -> Result<Vec<Module>, HubError> {
        if !self.has(MODULES) {
            return Ok(Vec::new());
        }
        let modules: Vec<Module> = self.read(MODULES)?;
        for module in modules.iter().filter(|module| !module.path.is_empty()) {
            check_inner_path(&module.path).map_err(|message| self.bad_file(MODULES, message))?;
        }
        self.take(MODULES.to_owned());
        Ok(modules)
    }

    fn read<T: DeserializeOwned>(&mut self, file: &str) -> Result<T, HubError> {
        let path = (self.obtain)(file)?;
        let length = fs::metadata(&path)
            .map_err(HubError::disk("read", &path))?
            .len();
        if length > MOST_JSON_BYTES {
            let message = format!("it has {length} bytes, but at most {MOST_JSON_BYTES} are read");
            return Err(self.bad_file(file, message));
        }
        let json = fs::read(&path).map_err(HubError::disk("read", &path))?;
        serde_json::from_slice(&json).map_err(|refused| self.bad_file(file, refused.to_string()))
    }

    fn bad_file(&self, file: &str, message: String) -> HubError {
        HubError::BadFile {
            name: self.name.to_string(),
            file: file.to_owned(),
            message,
        }
    }
}

fn is_weights(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    WEIGHTS
        .iter()
        .any(|(whole, index)| name == *whole || name == *index)
}
