//! `bert check`: what is wrong or odd about data before anyone trains on it. One module a task; what tasks share works on
//! plain texts and labels.

pub(crate) mod masked_lm;
pub(crate) mod natural_language_inference;
pub(crate) mod question_answering;
pub(crate) mod report;
pub(crate) mod rows;
pub(crate) mod text_classification;
pub(crate) mod token_classification;
pub(crate) mod tokens;

use std::path::PathBuf;

use anyhow::Result;
use bert_tasks::{DropoutOverride, Pretrained};
use bert_text::Dataset;
use clap::Args;

use crate::flags::whole_number;
use crate::model_source::ModelSource;
use report::Finding;
use rows::Rows;

#[derive(Debug, Args)]
pub(crate) struct CheckFlags {
    /// Data to learn from
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// Data to score on: it should share no row with the other
    #[arg(long, value_name = "FILE")]
    pub(crate) eval: Option<PathBuf>,
    /// Model whose tokenizer says what is cut and what it does not know: a name that `bert models` lists, or a directory;
    /// without it lengths are counted in words
    #[arg(long, value_name = "NAME|DIR")]
    model: Option<String>,
    /// Longest sequence in tokens; by default as `bert train` has it: 128, for question answering 384
    #[arg(long, value_name = "TOKENS", value_parser = whole_number)]
    max_length: Option<usize>,
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Use no network: a named model has to be in the cache
    #[arg(long)]
    offline: bool,
}

impl CheckFlags {
    /// The directory of the model that was named.
    fn directory(&self) -> Result<Option<PathBuf>> {
        let source = self.model.as_deref().map(ModelSource::find).transpose()?;
        source
            .map(|source| source.directory(self.offline))
            .transpose()
    }

    /// The longest sequence, given what `bert train` has by default.
    fn max_length(&self, default: usize) -> usize {
        self.max_length.unwrap_or(default)
    }

    /// The model that was named, without its weights.
    pub(crate) fn pretrained(&self, default_max_length: usize) -> Result<Option<Pretrained>> {
        let Some(directory) = self.directory()? else {
            return Ok(None);
        };
        let max_length = Some(self.max_length(default_max_length));
        Ok(Some(Pretrained::open(
            &directory,
            max_length,
            DropoutOverride::default(),
        )?))
    }
}

/// The cheap part, for `bert train`: labels seen once and rows that both files have, as warnings on standard error.
pub(crate) fn warn(train: &Dataset, eval: Option<&Dataset>, has_classes: bool) {
    let train = Rows::of(train, has_classes);
    let eval = eval.map(|eval| Rows::of(eval, has_classes));
    print_warnings(rows::cheap_findings(&train, eval.as_ref()));
}

/// Findings on standard error, before training.
fn print_warnings(findings: impl IntoIterator<Item = Finding>) {
    for Finding { message, .. } in findings {
        eprintln!("warning {message}");
    }
}
