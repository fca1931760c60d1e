//! Predictions of a model that are not in a file yet.

use std::env::current_exe;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use bert_tasks::natural_language_inference::NliClassifier;
use bert_tasks::{
    DropoutOverride, Pretrained, question_answering, text_classification, token_classification,
};
use tempfile::TempDir;

use crate::model_source::ModelSource;

/// What `bert evaluate` needs beside the model.
pub(super) struct Evaluation<'a> {
    pub(super) data: &'a [PathBuf],
    /// Further options, as `bert evaluate` takes them.
    pub(super) options: &'a [String],
}

/// Whether a word names a model. What is a file holds predictions.
pub(super) fn is_model(word: &Path) -> bool {
    !word.is_file()
}

impl Evaluation<'_> {
    /// The predictions of a model, in a file of `room`. Another process makes them: the memory of one model is free before the
    /// next one is loaded.
    pub(super) fn predict(&self, model: &Path, room: &TempDir, name: &str) -> Result<PathBuf> {
        let word = model.to_string_lossy();
        if self.data.is_empty() {
            bail!("{word}: no file of predictions; for a model give --data as well");
        }
        let is_offline = self.options.iter().any(|option| option == "--offline");
        let directory = ModelSource::find("bert compare", &word)?.directory(is_offline)?;
        let predictions = room.path().join(name);
        let mut command = Command::new(current_exe().context("the path of this program")?);
        command
            .args(["evaluate", task_of(&directory)?, "--model"])
            .arg(model)
            .arg("--data")
            .args(self.data)
            .arg("--predictions")
            .arg(&predictions)
            .args(self.options)
            .stdout(Stdio::null());
        let status = command.status().context("cannot start `bert evaluate`")?;
        if !status.success() {
            bail!("{word}: the evaluation failed, {status}");
        }
        Ok(predictions)
    }
}

/// The task of a trained model, by the class that config.json names and by the names of its labels.
fn task_of(directory: &Path) -> Result<&'static str> {
    let pretrained = Pretrained::open(directory, None, DropoutOverride::default())?;
    let classes = pretrained.architectures();
    let is = |head: &str| classes.contains(&pretrained.architecture(head).as_str());
    if is(text_classification::head::HEAD) {
        return Ok(match NliClassifier::open(directory, None) {
            Ok(_) => "natural-language-inference",
            Err(_) => "text-classification",
        });
    }
    if is(token_classification::head::HEAD) {
        return Ok("token-classification");
    }
    if is(question_answering::head::HEAD) {
        return Ok("question-answering");
    }
    bail!(
        "{}: `architectures` of config.json is {}; compared are models for text classification, inference, token \
         classification and question answering",
        directory.display(),
        match classes.as_slice() {
            [] => "empty".to_owned(),
            classes => classes.join(", "),
        }
    )
}
