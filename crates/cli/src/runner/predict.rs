//! What `bert predict` does for every task: inputs line by line, answers line by line, in their order.

use std::path::Path;

use anyhow::Result;
use bert_tasks::TaskError;
use bert_text::PredictLine;
use burn::tensor::Device;
use clap::Args;

use super::inputs::{Answers, Failure, InputFlags};
use super::{InferenceFlags, TaskModel};
use crate::flags::Shard;
use crate::results::Results;

pub(crate) use super::inputs::Refused;

pub(crate) type PredictFlags = InferenceFlags<PredictFiles>;

#[derive(Debug, Args)]
pub(crate) struct PredictFiles {
    #[command(flatten)]
    input: InputFlags,
    /// Answer only part I of N parts of the input, counted from 0, as in 0/4: for schedulers that start one process for each
    /// index. The parts follow each other, so that the outputs behind each other are the output of the whole
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
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
    let mut input = flags.files.input.open()?;
    if let Some(shard) = flags.files.shard {
        flags.files.input.keep_only(shard, &mut input)?;
    }
    let device = flags.runtime.open()?;
    let mut model = flags.open(&source, |directory, max_length| {
        command.open(directory, max_length)
    })?;
    let max_length = model.pretrained().max_length;
    let mut printed = Printed {
        command,
        loaded: command.load(model, device)?,
        results: Results::new(),
    };
    let cut = input.each_chunk(&mut printed)?;
    cut.note(max_length);
    Ok(())
}

/// Answers on standard output.
struct Printed<'a, C: Predict> {
    command: &'a C,
    loaded: C::Loaded,
    results: Results,
}

impl<C: Predict> Answers<C::Input> for Printed<'_, C> {
    fn answer(&mut self, inputs: &[C::Input]) -> Result<usize> {
        self.command.answer(&self.loaded, inputs, &mut self.results)
    }

    fn fail(&mut self, failure: &Failure) -> Result<()> {
        self.results.json_line(failure)
    }

    fn flush(&mut self) -> Result<()> {
        self.results.flush()
    }
}
