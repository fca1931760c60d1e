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
pub(crate) const CHUNK: usize = 1024;

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
    let mut results = Results::new();
    let cut = input.each_chunk(|inputs| {
        let cut = command.answer(&loaded, inputs, &mut results)?;
        results.flush()?;
        Ok(cut)
    })?;
    cut.note(max_length);
    Ok(())
}

/// How many inputs were cut, of how many.
pub(crate) struct Cut {
    pub(crate) inputs: usize,
    pub(crate) of: usize,
}

impl Cut {
    /// Says so, if any was.
    pub(crate) fn note(&self, max_length: usize) {
        if self.inputs > 0 {
            let (cut, all) = (count(self.inputs), counted(self.of, "input"));
            eprintln!("note    {cut} of {all} cut at {max_length} tokens");
        }
    }
}

/// The lines of a file or of standard input.
pub(crate) struct Input<T> {
    lines: PredictInputs<Box<dyn BufRead>, T>,
    chunk: usize,
}

impl<T: PredictLine> Input<T> {
    pub(crate) fn open(path: &Path) -> Result<Self> {
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

    /// Hands all inputs to `answer`, chunk by chunk; it returns how many inputs it cut.
    pub(crate) fn each_chunk(
        mut self,
        mut answer: impl FnMut(&[T]) -> Result<usize>,
    ) -> Result<Cut> {
        let counter = Counter::new();
        let mut cut = Cut { inputs: 0, of: 0 };
        loop {
            let (chunk, failed) = self.next_chunk();
            cut.inputs += answer(&chunk)?;
            cut.of += chunk.len();
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
