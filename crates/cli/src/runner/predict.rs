//! What `bert predict` does for every task: inputs line by line, answers line by line, in their order.

use std::fmt;
use std::io::{BufRead, IsTerminal, stdin};
use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_tasks::TaskError;
use bert_text::{PredictInputs, PredictLine, ReadError};
use burn::tensor::Device;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{InferenceFlags, TaskModel};
use crate::failure::{WrongUsage, with_causes};
use crate::flags::Shard;
use crate::format::{count, counted};
use crate::progress::Counter;
use crate::results::Results;

/// Inputs that are read, predicted and printed together, so that a stream without an end works too and texts of similar
/// length can share a batch.
pub(crate) const CHUNK: usize = 1024;

pub(crate) type PredictFlags = InferenceFlags<PredictFiles>;

#[derive(Debug, Args)]
pub(crate) struct PredictFiles {
    /// One input a line, and one record a line of output; - is standard input. A file may be compressed (.gz, .zst, .zip with
    /// one file in it)
    #[arg(long, value_name = "FILE|-")]
    input: PathBuf,
    /// Answer only part I of N parts of the input, counted from 0, as in 0/4: for schedulers that start one process for each
    /// index. The parts follow each other, so that the outputs behind each other are the output of the whole
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// What a line does that cannot be answered; stop: it ends the run behind the answers to the lines before it; skip: it has
    /// a record with "error" in the place of an answer
    #[arg(long, value_enum, default_value_t = OnError::Stop)]
    on_error: OnError,
    /// Add the model's raw outputs
    #[arg(long)]
    pub(crate) logits: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnError {
    Stop,
    Skip,
}

/// An input that a model cannot answer, although those before it were answered.
#[derive(Debug)]
pub(crate) struct Refused {
    /// How many inputs before it have their answers.
    pub(crate) answered: usize,
    /// How many of these were cut.
    pub(crate) cut: usize,
    pub(crate) reason: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)
    }
}

impl std::error::Error for Refused {}

/// The record of a line that has no answer.
#[derive(Serialize)]
struct Failure {
    error: String,
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

    /// Prints the answers to some inputs and returns how many of these were cut at the maximum length. Fails with [`Refused`]
    /// where one input is at fault.
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
    let mut input = Input::open(&flags.files.input)?;
    if let Some(shard) = flags.files.shard {
        input.keep_only(shard, &flags.files.input)?;
    }
    let device = flags.runtime.open()?;
    let mut model = flags.open(&source, |directory, max_length| {
        command.open(directory, max_length)
    })?;
    let max_length = model.pretrained().max_length;
    let loaded = command.load(model, device)?;
    let skips = flags.files.on_error == OnError::Skip;
    let mut results = Results::new();
    let cut = input.each_chunk(skips, &mut results, |inputs, results| {
        command.answer(&loaded, inputs, results)
    })?;
    if cut.skipped > 0 {
        let all = counted(cut.of + cut.skipped, "line");
        eprintln!("warning {} of {all} not answered", count(cut.skipped));
    }
    cut.note(max_length);
    Ok(())
}

/// How many inputs were cut, of how many.
pub(crate) struct Cut {
    pub(crate) inputs: usize,
    pub(crate) of: usize,
    /// Lines without an answer.
    pub(crate) skipped: usize,
}

/// The lines of a file or of standard input.
pub(crate) struct Input<T> {
    lines: PredictInputs<Box<dyn BufRead + Send>, T>,
    chunk: usize,
    /// Lines that are still to be answered, if the input goes on behind these.
    left: Option<usize>,
}

impl<T: PredictLine> Input<T> {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        // Somebody who types wants each answer at once.
        let is_typed = path == Path::new("-") && stdin().is_terminal();
        Ok(Self {
            lines: PredictInputs::open(path)?,
            chunk: if is_typed { 1 } else { CHUNK },
            left: None,
        })
    }

    /// Leaves out what belongs to other parts. The file at `path` is read once more, to count its lines.
    fn keep_only(&mut self, shard: Shard, path: &Path) -> Result<()> {
        if path == Path::new("-") {
            let reason =
                "--shard needs a file: the parts of standard input cannot be told before its end";
            return Err(WrongUsage(reason.to_owned()).into());
        }
        let mut all = 0;
        for line in PredictInputs::<_, T>::open(path)? {
            match line {
                Err(error) if !is_of_line(&error) => return Err(error.into()),
                _ => all += 1,
            }
        }
        let rows = shard.rows(all);
        self.lines.by_ref().take(rows.start).for_each(drop);
        self.left = Some(rows.len());
        Ok(())
    }

    /// Hands all inputs to `answer`, chunk by chunk; it returns how many inputs it cut. A line that cannot be answered ends the
    /// run, or has a record in `results` that says why.
    pub(crate) fn each_chunk(
        mut self,
        skips: bool,
        results: &mut Results,
        mut answer: impl FnMut(&[T], &mut Results) -> Result<usize>,
    ) -> Result<Cut> {
        let counter = Counter::new();
        let mut cut = Cut {
            inputs: 0,
            of: 0,
            skipped: 0,
        };
        loop {
            let (chunk, failed) = self.next_chunk();
            let is_last = chunk.len() < self.chunk && failed.is_none();
            cut.answer(&chunk, skips, results, &mut answer)?;
            results.flush()?;
            counter.add(chunk.len());
            match failed {
                // What came before a broken line has been answered.
                Some(error) if !skips || !is_of_line(&error) => return Err(error.into()),
                Some(error) => cut.skip(with_causes(&error.into()), results)?,
                None => {}
            }
            if is_last {
                results.flush()?;
                return Ok(cut);
            }
        }
    }

    /// The next inputs, fewer than a chunk at the end or before a line that cannot be read.
    fn next_chunk(&mut self) -> (Vec<T>, Option<ReadError>) {
        let mut chunk = Vec::with_capacity(self.chunk);
        let count = self.left.map_or(self.chunk, |left| left.min(self.chunk));
        for line in self.lines.by_ref().take(count) {
            self.left = self.left.map(|left| left - 1);
            match line {
                Ok(input) => chunk.push(input),
                Err(error) => return (chunk, Some(error)),
            }
        }
        (chunk, None)
    }
}

impl Cut {
    /// Says how many were cut, if any was.
    pub(crate) fn note(&self, max_length: usize) {
        if self.inputs > 0 {
            let (cut, all) = (count(self.inputs), counted(self.of, "input"));
            eprintln!("note    {cut} of {all} cut at {max_length} tokens");
        }
    }

    /// Answers some inputs, and those behind one that is refused.
    fn answer<T>(
        &mut self,
        mut inputs: &[T],
        skips: bool,
        results: &mut Results,
        answer: &mut impl FnMut(&[T], &mut Results) -> Result<usize>,
    ) -> Result<()> {
        loop {
            match answer(inputs, results) {
                Ok(cut) => {
                    self.inputs += cut;
                    self.of += inputs.len();
                    return Ok(());
                }
                Err(error) => {
                    let refused = error.downcast::<Refused>()?;
                    if !skips {
                        results.flush()?;
                        return Err(refused.into());
                    }
                    self.inputs += refused.cut;
                    self.of += refused.answered;
                    inputs = &inputs[refused.answered + 1..];
                    self.skip(refused.reason, results)?;
                }
            }
        }
    }

    fn skip(&mut self, error: String, results: &mut Results) -> Result<()> {
        self.skipped += 1;
        results.json_line(&Failure { error })
    }
}

/// Whether an error is about one line, so that the next one can be read.
fn is_of_line(error: &ReadError) -> bool {
    matches!(
        error,
        ReadError::InvalidUtf8 { .. }
            | ReadError::PredictBlank { .. }
            | ReadError::PredictJson { .. }
            | ReadError::PredictPlain { .. }
    )
}
