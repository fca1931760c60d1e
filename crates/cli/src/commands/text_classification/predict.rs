//! `bert predict text-classification`

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, stdin};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bert_text::{PredictInput, PredictInputs, ReadError};
use bert_text_classification::BertForSequenceClassification;
use bert_train::text_classification::{EVALUATION_BATCH_SIZE, TextClassifier};
use burn::tensor::Device;
use clap::Args;

use super::record::Record;
use super::{load, open};
use crate::flags::{RuntimeFlags, at_least_one, whole_number};
use crate::format::{count, counted};
use crate::progress::Counter;
use crate::results::Results;

/// Inputs that are read, predicted and printed together, so that a stream without an end works too and texts of similar
/// length can share a batch.
const CHUNK: usize = 1024;

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// Directory of a trained classifier, of ours or of transformers
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// One input a line: plain text, or a JSON object with "text" and optionally "text_pair"; - is standard input
    #[arg(long, value_name = "FILE|-")]
    input: PathBuf,
    /// Add "logits", the model's raw outputs in id order
    #[arg(long)]
    logits: bool,
    /// Add "scores", those of all labels in id order
    #[arg(long)]
    all_scores: bool,
    /// Longest sequence in tokens; by default the longest that the model takes, so that nothing is cut without need
    #[arg(long, value_name = "TOKENS", value_parser = whole_number)]
    max_length: Option<usize>,
    /// Rows of one forward pass; 64: larger ones are no faster on a CPU
    #[arg(long, value_name = "N", default_value_t = EVALUATION_BATCH_SIZE, value_parser = at_least_one)]
    batch_size: NonZeroUsize,
    #[command(flatten)]
    runtime: RuntimeFlags,
}

pub(crate) fn run(args: &PredictArgs) -> Result<()> {
    let input = Input::open(&args.input)?;
    let device = args.runtime.open()?;
    let classifier = open(&args.model, args.max_length)?;
    let model = load(&classifier, &device)?;
    let predictor = Predictor {
        args,
        classifier: &classifier,
        model,
        device,
    };
    predictor.run(input)
}

struct Input {
    lines: PredictInputs<Box<dyn BufRead>>,
    chunk: usize,
}

impl Input {
    fn open(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            // Somebody who types wants each answer at once.
            let chunk = if stdin().is_terminal() { 1 } else { CHUNK };
            let lines = PredictInputs::new(
                Box::new(stdin().lock()) as Box<dyn BufRead>,
                Path::new("standard input"),
            );
            return Ok(Self { lines, chunk });
        }
        let file =
            File::open(path).with_context(|| format!("{}: cannot be read", path.display()))?;
        let lines = PredictInputs::new(Box::new(BufReader::new(file)) as Box<dyn BufRead>, path);
        Ok(Self {
            lines,
            chunk: CHUNK,
        })
    }

    /// The next inputs, fewer than a chunk at the end or before a line that cannot be read.
    fn next_chunk(&mut self) -> (Vec<PredictInput>, Option<ReadError>) {
        let mut chunk = Vec::with_capacity(self.chunk);
        for line in self.lines.by_ref().take(self.chunk) {
            match line {
                Ok(input) => chunk.push(input),
                Err(error) => return (chunk, Some(error)),
            }
        }
        (chunk, None)
    }
}

struct Predictor<'a> {
    args: &'a PredictArgs,
    classifier: &'a TextClassifier,
    model: BertForSequenceClassification,
    device: Device,
}

impl Predictor<'_> {
    fn run(&self, mut input: Input) -> Result<()> {
        let mut results = Results::new();
        let counter = Counter::new();
        let (mut inputs, mut cut) = (0, 0);
        loop {
            let (chunk, failed) = input.next_chunk();
            cut += self.predict(&chunk, &mut results)?;
            inputs += chunk.len();
            counter.add(chunk.len());
            // What came before a broken line has been answered.
            if let Some(error) = failed {
                return Err(error.into());
            }
            if chunk.len() < input.chunk {
                break;
            }
        }
        drop(counter);
        if cut > 0 {
            eprintln!(
                "note    {} of {} cut at {} tokens",
                count(cut),
                counted(inputs, "input"),
                self.classifier.max_length
            );
        }
        Ok(())
    }

    /// Prints the predictions for some inputs and says how many of these were cut.
    fn predict(&self, inputs: &[PredictInput], results: &mut Results) -> Result<usize> {
        let texts: Vec<(&str, Option<&str>)> = inputs
            .iter()
            .map(|input| (input.text.as_str(), input.text_pair.as_deref()))
            .collect();
        let batch_size = self.args.batch_size;
        let predictions =
            self.classifier
                .predict(&self.model, &texts, batch_size, &self.device, &mut |_| {})?;
        for prediction in &predictions {
            let mut record = Record::new(prediction, self.classifier);
            if self.args.all_scores {
                record = record.with_scores(prediction);
            }
            if self.args.logits {
                record = record.with_logits(prediction);
            }
            results.json_line(&record)?;
        }
        results.flush()?;
        Ok(predictions
            .iter()
            .filter(|prediction| prediction.truncated_tokens > 0)
            .count())
    }
}
