//! What `bert check` does for every task: data are rows of texts and labels, and findings go into a report.

pub(crate) mod report;
pub(crate) mod rows;
pub(crate) mod tokens;

use std::path::PathBuf;

use anyhow::Result;
use bert_hub::DataSplit;
use bert_tasks::{DropoutOverride, MaxLength, Pretrained};
use clap::Args;

use crate::data_source;
use crate::flags::{data_files, integer};
use crate::model_source::ModelSource;
use crate::runner::print_files;
use report::Finding;

#[derive(Debug, Args)]
pub(crate) struct CheckFlags {
    /// Training data: a file, several that are read as one, or a pattern such as 'part-*.tsv'; - is standard input. Files may
    /// be compressed (.gz, .zst, .zip with one file in it). Or a data set that `bert models` lists
    #[arg(long, value_name = "FILE|NAME", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// Evaluation data, which should share no row with --data
    #[arg(long, value_name = "FILE|NAME", num_args = 1..)]
    eval: Vec<PathBuf>,
    /// Model whose tokenizer finds out what is cut and which tokens are unknown: a checkpoint directory, a name that `bert
    /// models` lists, or a model of the hub; without it lengths are counted in words
    #[arg(long, value_name = "DIR|NAME")]
    model: Option<String>,
    /// Longest sequence in tokens; by default 128 as in `bert train`, and 384 for question answering
    #[arg(long, value_name = "TOKENS", value_parser = integer)]
    max_length: Option<usize>,
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Use no network: a named model has to be in the cache
    #[arg(long)]
    offline: bool,
}

impl CheckFlags {
    /// Reads the one or two splits.
    pub(crate) fn read<D>(&self, read: impl Fn(&[PathBuf]) -> Result<D>) -> Result<Checked<D>> {
        Ok(Checked {
            data: read(&data_files(&self.data_files()?)?)?,
            eval: match self.eval_files()?.as_slice() {
                [] => None,
                words => Some(read(&data_files(words)?)?),
            },
        })
    }

    /// The files of --data.
    pub(crate) fn data_files(&self) -> Result<Vec<PathBuf>> {
        data_source::find_all("--data", &self.data, DataSplit::Train, self.offline)
    }

    /// The files of --eval.
    pub(crate) fn eval_files(&self) -> Result<Vec<PathBuf>> {
        data_source::find_all("--eval", &self.eval, DataSplit::Dev, self.offline)
    }

    /// The directory of the model that was named.
    pub(crate) fn directory(&self) -> Result<Option<PathBuf>> {
        let Some(word) = &self.model else {
            return Ok(None);
        };
        let source = ModelSource::find("--model", word)?;
        source.directory(self.offline).map(Some)
    }

    /// The longest sequence; `default` is that of `bert train`.
    pub(crate) fn max_length(&self, default: usize) -> MaxLength {
        MaxLength::or_at_most(self.max_length, default)
    }

    /// The model that was named, without its weights.
    pub(crate) fn pretrained(&self, default_max_length: usize) -> Result<Option<Pretrained>> {
        let Some(directory) = self.directory()? else {
            return Ok(None);
        };
        let max_length = self.max_length(default_max_length);
        let pretrained = Pretrained::open(&directory, max_length, DropoutOverride::default())?;
        print_files(&pretrained);
        Ok(Some(pretrained))
    }
}

/// The data of a check, in any form.
pub(crate) struct Checked<D> {
    /// The training data.
    pub(crate) data: D,
    /// The evaluation data.
    pub(crate) eval: Option<D>,
}

impl<D> Checked<D> {
    /// Each with its key in the report.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, &D)> {
        let eval = self.eval.iter().map(|eval| ("eval", eval));
        std::iter::once(("data", &self.data)).chain(eval)
    }

    pub(crate) fn map<'a, E>(&'a self, map: impl Fn(&'a D) -> E) -> Checked<E> {
        Checked {
            data: map(&self.data),
            eval: self.eval.as_ref().map(map),
        }
    }
}

/// Findings on standard error, before training.
pub(crate) fn print_warnings(findings: impl IntoIterator<Item = Finding>) {
    for Finding { message, .. } in findings {
        say!("warning {message}");
    }
}
