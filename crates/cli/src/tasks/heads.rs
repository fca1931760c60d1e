//! Predictions of text and token classifiers: one model, or several heads on one encoder.

use std::marker::PhantomData;
use std::path::Path;

use anyhow::Result;
use bert_tasks::heads::{Head, HeadInput, HeadPredictions, Heads, TextReader};
use bert_tasks::token_classification::head::transitions::Transitions;
use bert_tasks::{RunOptions, TaskError};
use bert_text::PredictLine;
use burn::tensor::Device;
use clap::Args;
use serde::{Serialize, Serializer};

use super::text_classification;
use super::token_classification::{self, AggregationWord};
use crate::model_source::ModelSource;
use crate::results::Results;
use crate::runner::predict::{self, Predict, PredictFlags};
use crate::runner::{TaskModel, print_files, print_unknown_tensors};

#[derive(Debug, Args)]
#[command(next_help_heading = "Predictions")]
pub(crate) struct HeadFlags {
    /// Further text or token classifier on the same encoder: a checkpoint directory, a name that `bert models` lists, or a
    /// model of the hub. The encoder's weights must be equal bit for bit, as `--tune head` leaves them; one forward pass serves all heads. A line
    /// has this head's prediction under "heads" and the head's name, which is the last part of DIR|NAME. A token classifier
    /// reads the first text of a pair. May be given more than once
    #[arg(long, value_name = "DIR|NAME")]
    head: Vec<String>,
    /// Of text classifiers: add "scores", the scores of all labels in id order
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

/// Loaded heads on one encoder.
pub(crate) struct LoadedHeads {
    /// The names of the further heads, in the order of the flags.
    names: Vec<String>,
    heads: Heads,
    /// For each head the allowed transitions between tags; `None` without `--constrained` and for text classifiers.
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

/// The prediction of one head for one input.
#[derive(Serialize)]
#[serde(untagged)]
enum Record<'a> {
    Text(text_classification::Record<'a>),
    Tokens(token_classification::Record<'a>),
}

/// The records of the further heads: a JSON object with their names as keys, in the order of the flags.
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

/// Opens a trained model, without its weights.
type Open<M> = dyn Fn(&Path, Option<usize>) -> Result<M, TaskError>;

/// `bert predict` of a task whose model is a text or token classifier: `open` opens a trained model, `reader` says which of
/// the two it is.
pub(crate) fn predict<M, I>(
    flags: &PredictFlags,
    head_flags: &HeadFlags,
    open: &Open<M>,
    reader: fn(M) -> TextReader,
) -> Result<()>
where
    M: TaskModel,
    I: PredictLine,
    HeadInput: for<'i> From<&'i I>,
{
    let words = head_flags.head.iter();
    let sources = words.map(|word| ModelSource::find("--head", word));
    let command = Command {
        further: sources.collect::<Result<_>>()?,
        flags,
        head_flags,
        open,
        reader,
        input: PhantomData,
    };
    predict::run(&command, flags)
}

struct Command<'a, M, I> {
    flags: &'a PredictFlags,
    head_flags: &'a HeadFlags,
    /// The further heads, in the order of the flags.
    further: Vec<ModelSource>,
    open: &'a Open<M>,
    reader: fn(M) -> TextReader,
    input: PhantomData<fn(I)>,
}

impl<M, I> Predict for Command<'_, M, I>
where
    M: TaskModel,
    I: PredictLine,
    HeadInput: for<'i> From<&'i I>,
{
    type Model = M;
    type Loaded = LoadedHeads;
    type Input = I;

    fn open(&self, directory: &Path, max_length: Option<usize>) -> Result<M, TaskError> {
        (self.open)(directory, max_length)
    }

    /// Opens every head before it loads the first model.
    fn load(&self, model: M, device: Device) -> Result<LoadedHeads> {
        let first = (self.reader)(model);
        let max_length = Some(first.pretrained().max_length);
        let open = |(word, source): (&String, &ModelSource)| {
            let reader = TextReader::open(&source.directory(self.flags.offline)?, max_length)?;
            let words = match &reader {
                TextReader::Text(classifier) => classifier.describe(),
                TextReader::Tokens(classifier) => classifier.describe(),
            };
            say!("head    {word}: {words}");
            print_files(reader.pretrained());
            Ok(reader)
        };
        let further = self.head_flags.head.iter().zip(&self.further).map(open);
        let further = further.collect::<Result<Vec<_>>>()?;
        let mut heads = Heads::load(first, &device)?;
        for reader in further {
            heads.add(reader, &device)?;
        }
        heads.reports().iter().for_each(print_unknown_tensors);
        let transitions = heads.heads().iter().map(|head| match head {
            Head::Tokens(classifier, _) if self.head_flags.constrained => {
                Some(Transitions::of(classifier.labels.names()))
            }
            _ => None,
        });
        Ok(LoadedHeads {
            transitions: transitions.collect(),
            names: names(&self.head_flags.head),
            heads,
            device,
        })
    }

    /// Prints a line a text.
    fn answer(&self, loaded: &LoadedHeads, inputs: &[I], results: &mut Results) -> Result<usize> {
        let inputs: Vec<HeadInput> = inputs.iter().map(HeadInput::from).collect();
        let run = RunOptions {
            batch_size: self.flags.batch_size,
            device: &loaded.device,
            progress: &mut |_| {},
            peers: None,
        };
        let predictions = loaded.heads.predict(&inputs, run)?;
        for row in 0..inputs.len() {
            let of_heads = predictions.iter().zip(&loaded.transitions);
            let mut records = of_heads.map(|(of_head, transitions)| {
                let logits = self.flags.files.logits;
                self.head_flags.record(of_head, row, transitions, logits)
            });
            let Some(record) = records.next() else { break };
            let heads = loaded.names.iter().map(String::as_str).zip(records);
            let heads = HeadRecords(heads.collect());
            results.json_line(&Line { record, heads })?;
        }
        Ok(predictions.iter().map(cut_texts).max().unwrap_or(0))
    }
}

impl HeadFlags {
    fn record<'p>(
        &self,
        predictions: &'p HeadPredictions<'_>,
        row: usize,
        transitions: &Option<Transitions>,
        logits: bool,
    ) -> Record<'p> {
        match predictions {
            HeadPredictions::Text(classifier, predictions) => {
                let prediction = &predictions[row];
                let mut record = text_classification::Record::new(prediction, classifier);
                if self.all_scores {
                    record = record.with_scores(prediction);
                }
                if logits {
                    record = record.with_logits(prediction);
                }
                Record::Text(record)
            }
            HeadPredictions::Tokens(classifier, predictions) => {
                let prediction = &predictions[row];
                let aggregation = self.aggregation.aggregation();
                let entities = classifier.entities(prediction, aggregation, transitions.as_ref());
                let mut record = token_classification::Record::new(entities);
                if logits {
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

/// The last path component of each word, or the whole word where two share that component.
fn names(words: &[String]) -> Vec<String> {
    let last = |word: &String| {
        let name = Path::new(word).file_name();
        name.map_or(word.clone(), |name| name.to_string_lossy().into_owned())
    };
    let name = |word: &String| {
        let sharing = words.iter().filter(|other| last(other) == last(word));
        match sharing.count() {
            1 => last(word),
            _ => word.clone(),
        }
    };
    words.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_named_by_what_tells_them_apart() {
        let words = ["runs/a", "runs/b/", "other/a"].map(str::to_owned);
        assert_eq!(names(&words), ["runs/a", "b", "other/a"]);
    }
}
