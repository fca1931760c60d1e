//! The inputs of a prediction: read some at a time, answered in their order.

use std::fmt;
use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_text::{PredictFile, PredictLine, ReadError};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::skipped::Skipped;
use crate::failure::{WrongUsage, with_causes};
use crate::flags::{RowFlags, Shard};
use crate::format::{count, counted};
use crate::progress::Counter;

/// Inputs that are read, predicted and printed together, so that a stream without an end works too and texts of similar
/// length can share a batch.
const CHUNK: usize = 1024;

#[derive(Debug, Args)]
pub(crate) struct InputFlags {
    /// One input a line or a row, and one record of output for each; - is standard input. A file may be compressed (.gz, .zst,
    /// .zip with one file in it)
    #[arg(long, value_name = "FILE|-")]
    input: PathBuf,
    /// What a line does that cannot be answered; stop: it ends the run after the answers to the lines before it; skip: it has
    /// a record with "error" in the place of an answer, a warning counts such lines and names the first, and the exit code
    /// is 0
    #[arg(long, value_enum, default_value_t = OnError::Stop)]
    on_error: OnError,
    #[command(flatten)]
    rows: RowFlags,
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
pub(crate) struct Failure {
    error: String,
}

/// Where answers go.
pub(crate) trait Answers<T> {
    /// Writes the answers to some inputs and returns how many of these were cut at the maximum length. Fails with
    /// [`Refused`] where one input is at fault.
    fn answer(&mut self, inputs: &[T]) -> Result<usize>;

    /// Writes what stands in the place of an answer.
    fn fail(&mut self, failure: &Failure) -> Result<()>;

    /// Makes sure that what was written has arrived.
    fn flush(&mut self) -> Result<()>;
}

impl InputFlags {
    /// Opens the input and says which columns are read.
    pub(crate) fn open<T: PredictLine>(&self) -> Result<Input<T>> {
        let file = self.file()?;
        let columns = file.columns();
        if !columns.is_empty() {
            let words = columns
                .iter()
                .map(|(key, column)| format!("{key} from column {column}"));
            let words: Vec<String> = words.collect();
            say!("note    {}: {}", self.input.display(), words.join(", "));
        }
        // Somebody who types wants each answer at once.
        let is_typed = self.is_standard_input() && stdin().is_terminal();
        Ok(Input {
            name: match self.is_standard_input() {
                true => "standard input".to_owned(),
                false => self.input.display().to_string(),
            },
            file,
            skips: self.on_error == OnError::Skip,
            chunk: if is_typed { 1 } else { CHUNK },
            left: None,
        })
    }

    fn file<T: PredictLine>(&self) -> Result<PredictFile<T>, ReadError> {
        PredictFile::open(&self.input, self.rows.format(), &self.rows.options())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.input
    }

    fn is_standard_input(&self) -> bool {
        self.input == Path::new("-")
    }

    /// Leaves out what belongs to other parts. The file is read once more, to count its lines.
    pub(crate) fn keep_only<T: PredictLine>(
        &self,
        shard: Shard,
        input: &mut Input<T>,
    ) -> Result<()> {
        if self.is_standard_input() {
            let reason =
                "--shard needs a file: the parts of standard input cannot be told before its end";
            return Err(WrongUsage(reason.to_owned()).into());
        }
        let mut all = 0;
        for line in self.file::<T>()? {
            match line {
                Err(error) if !error.is_of_line() => return Err(error.into()),
                _ => all += 1,
            }
        }
        let rows = shard.rows(all);
        input.file.by_ref().take(rows.start).for_each(drop);
        input.left = Some(rows.len());
        Ok(())
    }
}

/// How many inputs were cut, of how many.
#[derive(Default)]
pub(crate) struct Cut {
    inputs: usize,
    pub(crate) of: usize,
    /// Lines without an answer.
    skipped: Skipped,
}

/// The inputs of a file or of standard input.
pub(crate) struct Input<T> {
    file: PredictFile<T>,
    /// The name of the file in messages.
    name: String,
    skips: bool,
    chunk: usize,
    /// Inputs that are still to be answered, if the file goes on behind these.
    left: Option<usize>,
}

/// Inputs that are answered together.
struct Chunk<T> {
    inputs: Vec<T>,
    /// The line of each.
    lines: Vec<usize>,
    /// What ended the chunk before its time, with its line.
    failed: Option<(usize, ReadError)>,
}

impl<T: PredictLine> Input<T> {
    /// Whether it is read from columns, and a second text is among them.
    pub(crate) fn has_pairs(&self) -> bool {
        self.file.columns().len() > 1
    }

    /// Has all inputs answered, chunk by chunk. One that cannot be answered ends the run, or has a record that says why.
    pub(crate) fn each_chunk(mut self, answers: &mut impl Answers<T>) -> Result<Cut> {
        let counter = Counter::new();
        let mut cut = Cut::default();
        loop {
            let chunk = self.next_chunk();
            let is_last = chunk.inputs.len() < self.chunk && chunk.failed.is_none();
            self.answer(&chunk, &mut cut, answers)?;
            answers.flush()?;
            counter.add(chunk.inputs.len());
            match chunk.failed {
                // What came before a broken line has been answered.
                Some((_, error)) if !self.skips || !error.is_of_line() => return Err(error.into()),
                Some((line, error)) => cut.skip(line, with_causes(&error.into()), answers)?,
                None => {}
            }
            if is_last {
                answers.flush()?;
                if cut.all() == 0 {
                    say!("note    {}: no inputs", self.name);
                }
                return Ok(cut);
            }
        }
    }

    /// The next inputs, fewer than a chunk at the end or before a line that cannot be read.
    fn next_chunk(&mut self) -> Chunk<T> {
        let mut chunk = Chunk {
            inputs: Vec::with_capacity(self.chunk),
            lines: Vec::with_capacity(self.chunk),
            failed: None,
        };
        let count = self.left.map_or(self.chunk, |left| left.min(self.chunk));
        for _ in 0..count {
            let Some(input) = self.file.next() else { break };
            self.left = self.left.map(|left| left - 1);
            match input {
                Ok(input) => {
                    chunk.inputs.push(input);
                    chunk.lines.push(self.file.line());
                }
                Err(error) => {
                    chunk.failed = Some((self.file.line(), error));
                    break;
                }
            }
        }
        chunk
    }

    /// Has the inputs of a chunk answered, and those behind one that is refused.
    fn answer(&self, chunk: &Chunk<T>, cut: &mut Cut, answers: &mut impl Answers<T>) -> Result<()> {
        let mut start = 0;
        loop {
            let inputs = &chunk.inputs[start..];
            match answers.answer(inputs) {
                Ok(cut_inputs) => {
                    cut.inputs += cut_inputs;
                    cut.of += inputs.len();
                    return Ok(());
                }
                Err(error) => {
                    let mut refused = error.downcast::<Refused>()?;
                    let line = chunk.lines[start + refused.answered];
                    refused.reason = format!("{}, line {line}: {}", self.name, refused.reason);
                    if !self.skips {
                        answers.flush()?;
                        return Err(refused.into());
                    }
                    cut.inputs += refused.cut;
                    cut.of += refused.answered;
                    start += refused.answered + 1;
                    cut.skip(line, refused.reason, answers)?;
                }
            }
        }
    }
}

impl Cut {
    /// Says how many lines have no answer, and how many inputs were cut.
    pub(crate) fn note(&self, max_length: usize) {
        if let Some(skipped) = self.skipped.describe(self.of) {
            say!("warning {skipped}");
        }
        if self.inputs > 0 {
            let (cut, all) = (count(self.inputs), counted(self.of, "input"));
            say!("note    {cut} of {all} cut at {max_length} tokens");
        }
    }

    /// Inputs that have an answer or a record in its place.
    pub(crate) fn all(&self) -> usize {
        self.of + self.skipped.count()
    }

    fn skip<T>(&mut self, line: usize, error: String, answers: &mut impl Answers<T>) -> Result<()> {
        self.skipped.add(line);
        answers.fail(&Failure { error })
    }
}
