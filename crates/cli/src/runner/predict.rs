//! What `bert predict` does for every task: inputs line by line, answers line by line, in their order.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, stdin};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bert_tasks::TaskError;
use bert_text::{PredictInputs, PredictLine, ReadError};
use burn::tensor::Device;
use clap::Args;

use super::{InferenceFlags, TaskModel};
use crate::format::{count, counted};
use crate::progress::Counter;
use crate::results::Results;

/// Inputs that are read, predicted and printed together, so that a stream without an end works too and texts of similar
/// length can share a batch.
const CHUNK: usize = 1024;

pub(crate) type PredictFlags = InferenceFlags<PredictFiles>;

#[derive(Debug, Args)]
pub(crate) struct PredictFiles {
    /// One input a line; - is standard input
    #[arg(long, value_name = "FILE|-")]
    input: PathBuf,
    /// Add the model's raw outputs
    #[arg(long)]
    pub(crate) logits: bool,
}

/// What `bert predict TASK` does in a way of its own.
pub(crate) trait Predict {
    type Model: TaskModel;
    /// The model with its weights.
    type Loaded;
    /// What a line holds.
    type Input: PredictLine;

    /// Opens a trained model, without its weights.
    fn open(&self, directory: &Path, max_length: Option<usize>) -> Result<Self::Model, TaskError>;

    fn load(&self, model: Self::Model, device: Device) -> Result<Self::Loaded>;

    /// Prints the answers to some inputs and returns how many of these were cut at the maximum length.
    fn answer(
        &self,
        loaded: &Self::Loaded,
        inputs: &[Self::Input],
        results: &mut Results,
    ) -> Result<usize>;
}

/// Opens the input before a model is loaded, and answers it line by line.
pub(crate) fn run<C: Predict>(command: &C, flags: &PredictFlags) -> Result<()> {
    let source = flags.find_model()?;
    let input = Input::open(&flags.files.input)?;
    let device = flags.runtime.open()?;
    let mut model = flags.open(&source, |directory, max_length| {
        command.open(directory, max_length)
    })?;
    let max_length = model.pretrained().max_length;
    let loaded = command.load(model, device)?;
    let cut = input.answer_all(|inputs, results| command.answer(&loaded, inputs, results))?;
    if cut.inputs > 0 {
        let all = counted(cut.of, "input");
        eprintln!(
            "note    {} of {all} cut at {max_length} tokens",
            count(cut.inputs)
        );
    }
    Ok(())
}

/// How many inputs were cut, of how many.
struct Cut {
    inputs: usize,
    of: usize,
}

/// The lines of a file or of standard input.
struct Input<T> {
    lines: PredictInputs<Box<dyn BufRead>, T>,
    chunk: usize,
}

impl<T: PredictLine> Input<T> {
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

    /// Answers every line with `answer`, which returns how many inputs it cut.
    fn answer_all(
        mut self,
        mut answer: impl FnMut(&[T], &mut Results) -> Result<usize>,
    ) -> Result<Cut> {
        let mut results = Results::new();
        let counter = Counter::new();
        let mut cut = Cut { inputs: 0, of: 0 };
        loop {
            let (chunk, failed) = self.next_chunk();
            cut.inputs += answer(&chunk, &mut results)?;
            cut.of += chunk.len();
            results.flush()?;
            counter.add(chunk.len());
            // What came before a broken line has been answered.
            if let Some(error) = failed {
                return Err(error.into());
            }
            if chunk.len() < self.chunk {
                return Ok(cut);
            }
        }
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
