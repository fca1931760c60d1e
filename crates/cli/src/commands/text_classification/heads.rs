//! Predicting with one classifier, or with several on one encoder.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_train::text_classification::{ClassifierHeads, Prediction, TextClassifier};
use burn::tensor::Device;
use clap::Args;
use serde::{Serialize, Serializer};

use super::record::Record;
use super::words;
use crate::commands::answering::PredictFlags;
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct HeadFlags {
    /// Directory of a further model with the same encoder, bit for bit, as `--tune head` leaves it: each line gets its
    /// prediction too, under "heads" and the directory's name, from one forward pass. May be given more than once
    #[arg(long, value_name = "DIR")]
    head: Vec<PathBuf>,
    /// Add "scores", those of all labels in id order
    #[arg(long)]
    all_scores: bool,
}

/// Loaded classifiers and what is printed of each.
pub(crate) struct Predictors {
    /// One a further head, in the order of the flags.
    names: Vec<String>,
    heads: ClassifierHeads,
    batch_size: NonZeroUsize,
    device: Device,
    all_scores: bool,
    logits: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    record: Record<'a>,
    #[serde(skip_serializing_if = "HeadRecords::is_empty")]
    heads: HeadRecords<'a>,
}

/// The records of the further heads by their names, an object in their order.
struct HeadRecords<'a>(Vec<(&'a str, Record<'a>)>);

impl HeadRecords<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for HeadRecords<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, record)| (name, record)))
    }
}

impl Predictors {
    /// Opens every head before the first is loaded.
    pub(crate) fn load(
        first: TextClassifier,
        flags: &PredictFlags,
        heads: &HeadFlags,
        device: Device,
    ) -> Result<Self> {
        let max_length = Some(first.pretrained.max_length);
        let open = |directory: &PathBuf| {
            let classifier = TextClassifier::open(directory, max_length)?;
            eprintln!(
                "head    {}: {}",
                directory.display(),
                words::model(&classifier)
            );
            Ok(classifier)
        };
        let further = heads.head.iter().map(open).collect::<Result<Vec<_>>>()?;
        let mut loaded = ClassifierHeads::load(first, &device)?;
        for classifier in further {
            loaded.add(classifier, &device)?;
        }
        Ok(Self {
            names: names(&heads.head),
            heads: loaded,
            batch_size: flags.batch_size,
            device,
            all_scores: heads.all_scores,
            logits: flags.logits,
        })
    }

    /// Prints a line a text and says how many texts were cut.
    pub(crate) fn answer(
        &self,
        texts: &[(&str, Option<&str>)],
        results: &mut Results,
    ) -> Result<usize> {
        let predictions = self
            .heads
            .predict(texts, self.batch_size, &self.device, &mut |_| {})?;
        let classifiers: Vec<&TextClassifier> = self.heads.heads().map(|(one, _)| one).collect();
        for row in 0..texts.len() {
            let mut records = predictions
                .iter()
                .zip(&classifiers)
                .map(|(of_head, classifier)| self.record(&of_head[row], classifier));
            let Some(record) = records.next() else { break };
            let heads = self.names.iter().map(String::as_str).zip(records);
            let heads = HeadRecords(heads.collect());
            results.json_line(&Line { record, heads })?;
        }
        let is_cut = |prediction: &&Prediction| prediction.truncated_tokens > 0;
        Ok(predictions[0].iter().filter(is_cut).count())
    }

    /// Longest sequence in tokens.
    pub(crate) fn max_length(&self) -> usize {
        let first = self.heads.heads().next();
        first.map_or(0, |(classifier, _)| classifier.pretrained.max_length)
    }

    fn record<'a>(&self, prediction: &'a Prediction, classifier: &'a TextClassifier) -> Record<'a> {
        let mut record = Record::new(prediction, classifier);
        if self.all_scores {
            record = record.with_scores(prediction);
        }
        if self.logits {
            record = record.with_logits(prediction);
        }
        record
    }
}

/// The last part of each directory, or all of it where two share the last part.
fn names(directories: &[PathBuf]) -> Vec<String> {
    let last = |directory: &Path| {
        let name = directory.file_name().unwrap_or(directory.as_os_str());
        name.to_string_lossy().into_owned()
    };
    let name = |directory: &PathBuf| {
        let sharing = directories
            .iter()
            .filter(|other| last(other) == last(directory));
        match sharing.count() {
            1 => last(directory),
            _ => directory.display().to_string(),
        }
    };
    directories.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_named_by_what_tells_them_apart() {
        let directories = ["runs/a", "runs/b/", "other/a"].map(PathBuf::from);
        assert_eq!(names(&directories), ["runs/a", "b", "other/a"]);
    }
}
