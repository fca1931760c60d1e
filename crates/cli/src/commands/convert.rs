//! `bert convert`

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bert_encoder::EncoderConfig;
use bert_tasks::encoder_key_map;
use bert_train::prepare_output;
use bert_weights::{CONFIG_FILE, Checkpoint, convert, read_config, summary};
use clap::Args;

use super::inspect::total_line;
use crate::describe;
use crate::format::shortened;
use crate::model_source::ModelSource;
use crate::results::Results;

/// What tokenizers of transformers read, and the settings of text generation.
const COPIED: [&str; 13] = [
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

#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// A name that `bert models` lists, a checkpoint directory, or one file of weights with config.json beside it
    #[arg(value_name = "NAME|DIR|FILE")]
    model: String,
    /// Directory for model.safetensors and copies of config.json and of the tokenizer's files
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Replace the files of an output directory that is not empty
    #[arg(long)]
    overwrite: bool,
    /// Use no network: a named model has to be in the cache
    #[arg(long)]
    offline: bool,
}

pub(crate) fn run(args: &ConvertArgs) -> Result<()> {
    prepare_output(&args.output, args.overwrite)?;
    let path = ModelSource::find("model", &args.model)?.directory(args.offline)?;
    let checkpoint = without_wrapper(Checkpoint::open(&path)?);
    if let Some(message) = describe::wrapper(&checkpoint) {
        eprintln!("warning {message}");
    }
    let directory = match path.parent() {
        Some(parent) if path.is_file() => parent,
        _ => &path,
    };
    let files = Files::of(directory)?;
    convert(&checkpoint, &files.copied, &args.output)?;
    eprintln!("wrote   {}", total_line(&summary(&checkpoint)));
    if !files.left.is_empty() {
        eprintln!("note    not copied: {}", shortened(&files.left, LISTED));
    }
    let mut results = Results::new();
    results.line(&args.output.display().to_string())?;
    results.flush()
}

/// A family that we do not know has no names that could be known.
fn without_wrapper(checkpoint: Checkpoint) -> Checkpoint {
    match read_config::<EncoderConfig>(&checkpoint) {
        Ok(config) => checkpoint.without_wrapper(&encoder_key_map(config.model_type)),
        Err(_) => checkpoint,
    }
}

/// What lies in the directory beside the weights and `config.json`.
struct Files {
    copied: Vec<PathBuf>,
    /// The names of all others.
    left: Vec<String>,
}

impl Files {
    fn of(directory: &Path) -> Result<Self> {
        let mut files = Self {
            copied: Vec::new(),
            left: Vec::new(),
        };
        let unreadable = || format!("{}: cannot be read", directory.display());
        for entry in fs::read_dir(directory).with_context(unreadable)? {
            let path = entry.with_context(unreadable)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if COPIED.contains(&name.as_ref()) && path.is_file() {
                files.copied.push(path);
            } else if !WEIGHTS.iter().any(|end| name.ends_with(end)) {
                files.left.push(name.into_owned());
            }
        }
        files.copied.sort();
        files.left.sort();
        Ok(files)
    }
}
