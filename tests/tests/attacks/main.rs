//! Attacks that no test of one crate holds. docs/src/attacks.md lists every attack with its test.

mod archives;
mod contradictions;
mod hub;
mod json_keys;
mod labels;
mod links;
mod patterns;

use std::fs;
use std::path::Path;

use bert_testing::golden;
use tempfile::TempDir;

/// A small classifier of texts that every task can open.
fn model() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["config.json", "model.safetensors"] {
        let from = golden::folder().join("single_label").join(file);
        fs::copy(from, folder.path().join(file)).expect("a copy");
    }
    write(
        folder.path(),
        "vocab.txt",
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##c\n",
    );
    folder
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    fs::write(folder.join(name), content).expect("written");
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("a text")
}

/// An error and all of its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message.push_str(&format!(": {error}"));
        cause = error.source();
    }
    message
}

/// Makes sure that a message has every one of the words.
#[track_caller]
fn assert_words(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}
