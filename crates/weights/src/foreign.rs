//! Weights in formats that are not read, and what to do about each.

use std::fs;
use std::path::{Path, PathBuf};

use crate::CheckpointError;

/// A format that is not read.
struct Format {
    /// Whether the name of a file says that it has this format.
    matches: fn(&str) -> bool,
    name: &'static str,
    advice: &'static str,
}

/// In the order in which a directory is searched for them.
const FORMATS: [Format; 6] = [
    Format {
        matches: |name| name == "adapter_config.json" || name.starts_with("adapter_model."),
        name: "an adapter alone, without the model that it adapts",
        advice: "merge it once, a LoRA or DoRA with `bert merge DIR --output NEW_DIR`, others with PEFT: `AutoPeftModel….from_pretrained(DIR).merge_and_unload().save_pretrained(NEW_DIR)`",
    },
    Format {
        matches: |name| name.ends_with(".h5") || name.contains(".ckpt."),
        name: "TensorFlow weights",
        advice: "convert them once with transformers 4: `AutoModel….from_pretrained(DIR, from_tf=True).save_pretrained(NEW_DIR)`",
    },
    Format {
        matches: |name| name.ends_with(".msgpack"),
        name: "Flax weights",
        advice: "convert them once with transformers 4: `AutoModel….from_pretrained(DIR, from_flax=True).save_pretrained(NEW_DIR)`",
    },
    Format {
        matches: |name| name.ends_with(".gguf"),
        name: "quantised weights in GGUF",
        advice: "take the checkpoint that they were made from",
    },
    Format {
        matches: |name| name.ends_with(".onnx") || name == "onnx",
        name: "an ONNX graph, whose weights have no names",
        advice: "take the checkpoint that it was exported from",
    },
    Format {
        matches: |name| name.ends_with(".ckpt"),
        name: "a checkpoint of PyTorch Lightning, which holds a training run and not only weights",
        advice: "save its weights alone once: `torch.save(torch.load(FILE, weights_only=False)[\"state_dict\"], \
                 \"pytorch_model.bin\")`; do so only with a file that you trust, because this runs it",
    },
];

/// The refusal of a file whose name says that it has a format that is not read.
pub(crate) fn file(path: &Path) -> Option<CheckpointError> {
    let name = path.file_name()?.to_str()?;
    let format = FORMATS.iter().find(|format| (format.matches)(name))?;
    Some(refusal(path.to_owned(), format))
}

/// The refusal of a directory that holds one of these formats and nothing else that could be read.
pub(crate) fn directory(path: &Path) -> Option<CheckpointError> {
    let entries = fs::read_dir(path).ok()?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    FORMATS.iter().find_map(|format| {
        let name = names.iter().find(|name| (format.matches)(name))?;
        Some(refusal(path.join(name), format))
    })
}

fn refusal(path: PathBuf, format: &Format) -> CheckpointError {
    CheckpointError::OtherFormat {
        path,
        format: format.name,
        advice: format.advice,
    }
}
