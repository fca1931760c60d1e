//! Predicting with one model that reads a text, or with several on one encoder, of one task or of different ones.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_tasks::heads::{Head, HeadInput, HeadPredictions, Heads, TextReader};
use bert_text::PredictLine;
use bert_token_classification::transitions::Transitions;
use burn::tensor::Device;
use clap::Args;
use serde::{Serialize, Serializer};

use crate::commands::answering::{Answer, Input, PredictFlags};
use crate::commands::text_classification::{self, words as text_words};
use crate::commands::token_classification::{self, AggregationWord, words as token_words};
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct HeadFlags {
    /// Directory of a further text or token classifier with the same encoder, bit for bit, as `--tune head` leaves it: each
    /// line gets its prediction too, under "heads" and the directory's name, from one forward pass. A token classifier
    /// reads the first text of a pair. May be given more than once
    #[arg(long, value_name = "DIR")]
    head: Vec<PathBuf>,
    /// Of text classifiers: add "scores", those of all labels in id order
    #[arg(long)]
    all_scores: bool,
    /// Of token classifiers: how sub-tokens become entities, as in transformers' pipeline; first: a word has the tag of its
    /// first sub-token, the one that training labels
    #[arg(long, value_enum, default_value_t = AggregationWord::First)]
    aggregation: AggregationWord,
    /// Of token classifiers: predict the best sequence of tags without a malformed entity (no I- after O), not the best tag
    /// of each word
    #[arg(long)]
    constrained: bool,
}

/// Loaded models and what is printed of each.
pub(crate) struct Predictors<'a> {
    flags: &'a PredictFlags,
    head_flags: &'a HeadFlags,
    /// One a further head, in the order of the flags.
    names: Vec<String>,
    heads: Heads,
    /// One a head: which tags may follow which, where that is asked for.
    transitions: Vec<Option<Transitions>>,
    device: Device,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    record: Record<'a>,
    #[serde(skip_serializing_if = "HeadRecords::is_empty")]
    heads: HeadRecords<'a>,
}

/// What one head says to one input.
#[derive(Serialize)]
#[serde(untagged)]
enum Record<'a> {
    Text(text_classification::Record<'a>),
    Tokens(token_classification::Record<'a>),
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

impl<'a> Predictors<'a> {
    /// Opens every head before the first is loaded.
    pub(crate) fn load(
        first: TextReader,
        flags: &'a PredictFlags,
        head_flags: &'a HeadFlags,
        device: Device,
    ) -> Result<Self> {
        let max_length = Some(first.pretrained().max_length);
        let open = |directory: &PathBuf| {
            let reader = TextReader::open(directory, max_length)?;
            let words = match &reader {
                TextReader::Text(classifier) => text_words::model(classifier),
                TextReader::Tokens(classifier) => token_words::model(classifier),
            };
            eprintln!("head    {}: {words}", directory.display());
            Ok(reader)
        };
        let further = head_flags.head.iter().map(open);
        let further = further.collect::<Result<Vec<_>>>()?;
        let mut heads = Heads::load(first, &device)?;
        for reader in further {
            heads.add(reader, &device)?;
        }
        let transitions = heads.heads().iter().map(|head| match head {
            Head::Tokens(classifier, _) if head_flags.constrained => {
                Some(Transitions::of(classifier.labels.names()))
            }
            _ => None,
        });
        Ok(Self {
            transitions: transitions.collect(),
            names: names(&head_flags.head),
            flags,
            head_flags,
            heads,
            device,
        })
    }

    /// Answers every line.
    pub(crate) fn answer_all<T: PredictLine>(&self, input: Input<T>) -> Result<()>
    where
        HeadInput: for<'i> From<&'i T>,
    {
        input.answer_all(&Answers {
            predictors: self,
            input: PhantomData,
        })
    }

    /// Prints a line a text and says how many texts were cut.
    fn answer(&self, inputs: &[HeadInput], results: &mut Results) -> Result<usize> {
        let predictions =
            self.heads
                .predict(inputs, self.flags.batch_size, &self.device, &mut |_| {})?;
        for row in 0..inputs.len() {
            let of_heads = predictions.iter().zip(&self.transitions);
            let mut records =
                of_heads.map(|(of_head, transitions)| self.record(of_head, row, transitions));
            let Some(record) = records.next() else { break };
            let heads = self.names.iter().map(String::as_str).zip(records);
            let heads = HeadRecords(heads.collect());
            results.json_line(&Line { record, heads })?;
        }
        Ok(predictions.iter().map(cut_texts).max().unwrap_or(0))
    }

    fn record<'p>(
        &self,
        predictions: &'p HeadPredictions<'_>,
        row: usize,
        transitions: &Option<Transitions>,
    ) -> Record<'p> {
        let flags = self.head_flags;
        match predictions {
            HeadPredictions::Text(classifier, predictions) => {
                let prediction = &predictions[row];
                let mut record = text_classification::Record::new(prediction, classifier);
                if flags.all_scores {
                    record = record.with_scores(prediction);
                }
                if self.flags.logits {
                    record = record.with_logits(prediction);
                }
                Record::Text(record)
            }
            HeadPredictions::Tokens(classifier, predictions) => {
                let prediction = &predictions[row];
                let aggregation = flags.aggregation.aggregation();
                let entities = classifier.entities(prediction, aggregation, transitions.as_ref());
                let mut record = token_classification::Record::new(entities);
                if self.flags.logits {
                    record = record.with_logits(prediction);
                }
                Record::Tokens(record)
            }
        }
    }
}

/// A token classifier reads a long text in windows, so that nothing is cut.
fn cut_texts(predictions: &HeadPredictions<'_>) -> usize {
    match predictions {
        HeadPredictions::Text(_, predictions) => {
            let cut = predictions.iter().filter(|one| one.truncated_tokens > 0);
            cut.count()
        }
        HeadPredictions::Tokens(..) => 0,
    }
}

/// The answers to the inputs of one command.
struct Answers<'a, T> {
    predictors: &'a Predictors<'a>,
    input: PhantomData<T>,
}

impl<T: PredictLine> Answer for Answers<'_, T>
where
    HeadInput: for<'i> From<&'i T>,
{
    type Input = T;

    fn answer(&self, inputs: &[T], results: &mut Results) -> Result<usize> {
        let inputs: Vec<HeadInput> = inputs.iter().map(HeadInput::from).collect();
        self.predictors.answer(&inputs, results)
    }

    fn max_length(&self) -> usize {
        self.predictors.heads.max_length()
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
