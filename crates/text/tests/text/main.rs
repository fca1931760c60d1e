//! The facts this crate promises, one module a subject.

#[cfg(feature = "columnar")]
mod arrow_messages;
mod batches;
mod checks;
#[cfg(feature = "columnar")]
mod columnar;
mod datasets;
mod filters;
mod labels;
mod long_texts;
mod lower_case;
mod masking;
mod meanings;
mod packed;
mod parity;
mod plain_text;
mod predict_files;
mod predict_inputs;
mod readers;
mod squad;
mod tagged;
mod task_checks;
mod tokenizer;
mod tokenizer_classes;
mod tokenizer_refusals;
mod word_windows;

use std::path::{Path, PathBuf};

use bert_text::{ColumnOptions, Dataset, ReadError};
use tempfile::TempDir;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A directory of its own with one file in it.
fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join(name);
    std::fs::write(&path, content).expect("the file is written");
    (dir, path)
}

/// The words of an error and of its cause.
#[cfg(feature = "columnar")]
fn with_cause(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(ToString::to_string);
    format!("{error}: {}", cause.unwrap_or_default())
}

fn read(
    name: &str,
    content: impl AsRef<[u8]>,
    options: &ColumnOptions,
) -> Result<Dataset, ReadError> {
    let (_dir, path) = file(name, content);
    Dataset::read(&path, options)
}

fn read_ok(name: &str, content: &str) -> Dataset {
    read(name, content, &ColumnOptions::default()).expect("a valid file")
}
