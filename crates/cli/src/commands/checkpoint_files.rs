//! What lies in the directory of a checkpoint, for commands that write another one from it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use bert_encoder::EncoderConfig;
use bert_tasks::encoder_key_map;
use bert_weights::{CONFIG_FILE, Checkpoint, read_config};

use crate::describe;
use crate::format::shortened;

/// What transformers reads of a tokenizer, the settings of text generation, and what sentence-transformers reads beside its
/// folders.
const COPIED: [&str; 16] = [
    "added_tokens.json",
    "generation_config.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "special_tokens_map.json",
    "spiece.model",
    "spm.model",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
    "chat_template.jinja",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
];
/// What weights are called, and what belongs to them.
const WEIGHTS: [&str; 6] = [
    ".bin",
    ".safetensors",
    ".index.json",
    ".pt",
    ".pth",
    CONFIG_FILE,
];
/// A longer list of files is cut after so many names.
const LISTED: usize = 10;

/// Opens a checkpoint of any family, without the prefix that a wrapper left.
pub(super) fn open(path: &Path) -> Result<Checkpoint> {
    let checkpoint = without_wrapper(Checkpoint::open(path)?);
    if let Some(message) = describe::wrapper(&checkpoint) {
        say!("warning {message}");
    }
    Ok(checkpoint)
}

/// A family that we do not know has no names that could be known.
fn without_wrapper(checkpoint: Checkpoint) -> Checkpoint {
    match read_config::<EncoderConfig>(&checkpoint) {
        Ok(config) => checkpoint.without_wrapper(&encoder_key_map(config.model_type)),
        Err(_) => checkpoint,
    }
}

/// What lies in the directory beside the weights and `config.json`, by name.
#[derive(Default)]
pub(super) struct Files {
    pub(super) copied: Vec<String>,
    left: Vec<String>,
}

impl Files {
    pub(super) fn of(directory: &Path) -> Result<Self> {
        let mut files = Self::default();
        for name in names_in(directory)? {
            let path = directory.join(&name);
            if path.is_dir() && is_module(&name) {
                let inner = names_in(&path)?;
                let inner = inner.into_iter().filter(|inner| path.join(inner).is_file());
                files
                    .copied
                    .extend(inner.map(|inner| format!("{name}/{inner}")));
            } else if COPIED.contains(&name.as_str()) && path.is_file() {
                files.copied.push(name);
            } else if !WEIGHTS.iter().any(|end| name.ends_with(end)) {
                files.left.push(name);
            }
        }
        Ok(files)
    }

    /// Says on standard error what is not copied.
    pub(super) fn note_left(&self) {
        if !self.left.is_empty() {
            say!("note    not copied: {}", shortened(&self.left, LISTED));
        }
    }
}

/// Whether a folder is that of a module of sentence-transformers, such as `1_Pooling`.
fn is_module(folder: &str) -> bool {
    folder
        .split_once('_')
        .is_some_and(|(number, _)| number.parse::<usize>().is_ok())
}

fn names_in(directory: &Path) -> Result<Vec<String>> {
    let unreadable = || format!("{}: cannot be read", directory.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).with_context(unreadable)? {
        let name = entry.with_context(unreadable)?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
