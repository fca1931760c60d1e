//! What `bert predict` does for every task: inputs line by line, answers line by line, in their order.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, stdin};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bert_tasks::EVALUATION_BATCH_SIZE;
use bert_text::{PredictInputs, PredictLine, ReadError};
use clap::Args;

use crate::flags::{RuntimeFlags, Weights, at_least_one, whole_number};
use crate::format::{count, counted};
use crate::progress::Counter;
use crate::results::Results;

/// Inputs that are read, predicted and printed together, so that a stream without an end works too and texts of similar
/// length can share a batch.
const CHUNK: usize = 1024;

#[derive(Debug, Args)]
pub(crate) struct PredictFlags {
    /// Directory of a model trained for this task, by us or with transformers
    #[arg(long, value_name = "DIR")]
    pub(crate) model: PathBuf,
    /// One input a line; - is standard input
    #[arg(long, value_name = "FILE|-")]
    input: PathBuf,
    /// Add the model's raw outputs
    #[arg(long)]
    pub(crate) logits: bool,
    /// Longest sequence in tokens; by default the longest that the model takes, so that nothing is cut without need, and
    /// for question answering, which cuts nothing but reads windows, 384 as in training
    #[arg(long, value_name = "TOKENS", value_parser = whole_number)]
    pub(crate) max_length: Option<usize>,
    /// Rows of one forward pass; 64: larger ones are no faster on a CPU
    #[arg(long, value_name = "N", default_value_t = EVALUATION_BATCH_SIZE, value_parser = at_least_one)]
    pub(crate) batch_size: NonZeroUsize,
    /// Numbers in which the encoder's layers are multiplied on flex and ndarray; f32: as they are; bf16: rounded to 8
    /// significant bits; int8: to 255 steps for each output and token. Both are faster where the processor has AVX-512 BF16
    /// or VNNI and need a half or a quarter of the memory that f32 needs beside the weights themselves
    #[arg(long, value_enum, default_value_t = Weights::F32)]
    pub(crate) weights: Weights,
    #[command(flatten)]
    pub(crate) runtime: RuntimeFlags,
}

/// A loaded model that answers inputs.
pub(crate) trait Answer {
    /// What a line holds.
    type Input: PredictLine;

    /// Prints the answers to some inputs and says how many of these were cut at the maximum length.
    fn answer(&self, inputs: &[Self::Input], results: &mut Results) -> Result<usize>;

    /// Longest sequence in tokens.
    fn max_length(&self) -> usize;
}

/// The input of a prediction. It is opened before a model is loaded.
pub(crate) struct Input<T> {
    lines: PredictInputs<Box<dyn BufRead>, T>,
    chunk: usize,
}

impl<T: PredictLine> Input<T> {
    pub(crate) fn open(flags: &PredictFlags) -> Result<Self> {
        let path = &flags.input;
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

    /// Answers every line.
    pub(crate) fn answer_all(mut self, model: &impl Answer<Input = T>) -> Result<()> {
        let mut results = Results::new();
        let counter = Counter::new();
        let (mut inputs, mut cut) = (0, 0);
        loop {
            let (chunk, failed) = self.next_chunk();
            cut += model.answer(&chunk, &mut results)?;
            results.flush()?;
            inputs += chunk.len();
            counter.add(chunk.len());
            // What came before a broken line has been answered.
            if let Some(error) = failed {
                return Err(error.into());
            }
            if chunk.len() < self.chunk {
                break;
            }
        }
        drop(counter);
        if cut > 0 {
            eprintln!(
                "note    {} of {} cut at {} tokens",
                count(cut),
                counted(inputs, "input"),
                model.max_length()
            );
        }
        Ok(())
    }

    /// The next inputs, fewer than a chunk at the end or before a line that cannot be read.
    fn next_chunk(&mut self) -> (Vec<T>, Option<ReadError>) {
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
