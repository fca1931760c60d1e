//! `bert evaluate token-classification`

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_tasks::token_classification::head::ModelForTokenClassification;
use bert_tasks::token_classification::{Scored, Split, TokenClassifier};
use bert_tasks::{Metrics, RunOptions, TaskError};
use bert_text::TaggedDataset;
use clap::Args;
use serde::Serialize;

use super::encode;
use super::files::TagFileFlags;
use crate::flags::print_notes;
use crate::runner::bootstrap::{FiguresOf, Units};
use crate::runner::evaluate::{self, Evaluate, EvaluateFlags, write_lines};
use crate::whole_file::WholeFile;

/// Precision, recall and F1 of entities, overall and by type, as seqeval's default and strict modes
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    flags: EvaluateFlags,
    /// Predict the best sequence of tags without a malformed entity (no I- after O), not the best tag of each word
    #[arg(long, help_heading = "Predictions")]
    constrained: bool,
    #[command(flatten)]
    files: TagFileFlags,
}

/// A sentence as seqeval takes it.
#[derive(Debug, Serialize)]
struct Record<'a> {
    tokens: &'a [String],
    /// The references.
    labels: Vec<&'a str>,
    predictions: Vec<&'a str>,
}

impl EvaluateArgs {
    pub(crate) fn run(&self) -> Result<()> {
        evaluate::run(self, &self.flags)
    }
}

impl Evaluate for &EvaluateArgs {
    type Model = TokenClassifier;
    type Data = TaggedDataset;
    type Scored = Scored;

    fn read(&self, files: &[PathBuf]) -> Result<TaggedDataset> {
        let data = self.files.read(files)?;
        print_notes(&data.notes);
        Ok(data)
    }

    fn open(
        &self,
        directory: &Path,
        max_length: Option<usize>,
    ) -> Result<TokenClassifier, TaskError> {
        TokenClassifier::open(directory, max_length)
    }

    fn encode(&self, classifier: &TokenClassifier, data: &TaggedDataset) -> Result<Split> {
        encode(classifier, data)
    }

    fn score(
        &self,
        classifier: &TokenClassifier,
        network: &ModelForTokenClassification,
        split: &Split,
        run: RunOptions<'_>,
    ) -> Result<Scored, TaskError> {
        classifier.evaluate(network, split, self.constrained, run)
    }

    fn units(split: &Split) -> Option<Units> {
        Some(Units {
            noun: "sentence",
            count: split.sentences.len(),
        })
    }

    fn figures_of<'a>(
        model: &'a TokenClassifier,
        split: &'a Split,
        scored: &'a Scored,
    ) -> Result<FiguresOf<'a>> {
        Ok(Box::new(
            |units| Ok(model.figures_of(scored, split, units)?),
        ))
    }

    fn finish(
        self,
        classifier: &TokenClassifier,
        split: &Split,
        scored: Scored,
        predictions: Option<WholeFile>,
    ) -> Result<Metrics> {
        let names = classifier.labels.names();
        let tags = |ids: &[usize]| ids.iter().map(|&id| names[id].as_str()).collect();
        let sentences = split.sentences.iter().zip(&scored.predictions);
        let records = sentences.map(|(sentence, predicted)| {
            Ok(Record {
                tokens: &sentence.words,
                labels: tags(&sentence.labels),
                predictions: tags(predicted),
            })
        });
        write_lines(predictions, records)?;
        Ok(scored.evaluation.metrics)
    }
}
