//! A user's caches and a model of the hub, for the tests of names of the hub.

use std::fs;
use std::path::{Path, PathBuf};

use crate::stand_in::StandIn;
use crate::support::options;
use bert_hub::{AskHub, FetchOptions, Fetcher, HubError, HubName, NoProgress, Snapshot};

/// A model, and what is beside it in real repositories.
pub(crate) fn model(weights: &[u8]) -> StandIn {
    StandIn::start(
        "owner/name",
        &[
            ("README.md", b"a card"),
            ("config.json", b"{}"),
            ("model.safetensors", weights),
            ("onnx/model.onnx", b"exported"),
            ("pytorch_model.bin", b"pickled"),
            ("tf_model.h5", b"of TensorFlow"),
            ("tokenizer_config.json", b"{ }"),
            ("vocab.txt", b"[PAD]"),
        ],
    )
}

/// Our cache and the hub's, in one folder.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn options(&self, hub: &StandIn) -> FetchOptions {
        FetchOptions {
            hub_endpoint: hub.server.url.clone(),
            hub_home: Some(self.path("huggingface")),
            ..options(&self.path("bert"))
        }
    }

    pub(crate) fn fetch(&self, hub: &StandIn, name: &str) -> Result<Snapshot, HubError> {
        fetch(self.options(hub), name, AskHub::WhenNeeded)
    }

    pub(crate) fn offline(&self, hub: &StandIn, name: &str) -> Result<Snapshot, HubError> {
        let options = FetchOptions {
            hub_offline: true,
            ..self.options(hub)
        };
        fetch(options, name, AskHub::WhenNeeded)
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.path("huggingface/hub/models--owner--name")
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.path("bert/weights-lock.toml")
    }
}

pub(crate) fn fetch(options: FetchOptions, name: &str, ask: AskHub) -> Result<Snapshot, HubError> {
    let name = HubName::parse(name).expect("a name of the hub");
    Fetcher::new(options).fetch_hub(&name, ask, &mut NoProgress)
}

/// Every file below a folder, without its locks.
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => files.push(entry.path().display().to_string()),
            }
        }
    }
    files.retain(|file| !file.ends_with(".lock"));
    files
}

pub(crate) fn assert_words(failed: &HubError, words: &[&str]) {
    let message = failed.to_string();
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}
