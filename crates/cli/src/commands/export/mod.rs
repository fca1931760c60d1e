//! `bert export`

mod head;
mod onnx;

use std::path::{Path, PathBuf};

use anyhow::Result;
use bert_onnx::Precision;
use bert_train::prepare_output;
use bert_weights::{Checkpoint, FloatType, convert_to, summary};
use clap::{Args, ValueEnum};

use self::head::ExportTask;
use super::checkpoint_files::{Files, open};
use super::inspect::total_line;
use crate::failure::WrongUsage;
use crate::model_source::ModelSource;
use crate::output_directory::OutputDirectory;
use crate::results::Results;

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A name that `bert models` lists, a model of the hub (OWNER/NAME, or OWNER/NAME@REVISION), or a checkpoint directory
    #[arg(value_name = "NAME|DIR")]
    model: String,
    /// What to write; onnx: onnx/model.onnx in float32; onnx-int8: onnx/model_quantized.onnx, with the weights of linear
    /// maps and the table of words in int8; safetensors, f16, bf16: model.safetensors in float32, float16 or bfloat16,
    /// which transformers opens
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Format,
    /// Directory for the model, and for copies of config.json and of the tokenizer's files
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Of an ONNX model: which head it has; by default that of the class that config.json names. feature-extraction is
    /// the encoder without a head
    #[arg(long, value_enum, value_name = "TASK")]
    task: Option<ExportTask>,
    /// Of an ONNX model: write the weights into a file of their own, as is always done for models of 2 GiB and more
    #[arg(long)]
    external_data: bool,
    /// Replace the files of an output directory that is not empty
    #[arg(long)]
    overwrite: bool,
    /// Use no network: a named model has to be in the cache
    #[arg(long)]
    offline: bool,
}

/// A format that is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Onnx,
    OnnxInt8,
    Safetensors,
    F16,
    Bf16,
}

/// The two kinds of formats.
enum Target {
    Onnx(Precision),
    Checkpoint(FloatType),
}

impl Format {
    fn target(self) -> Target {
        match self {
            Self::Onnx => Target::Onnx(Precision::Float32),
            Self::OnnxInt8 => Target::Onnx(Precision::Int8),
            Self::Safetensors => Target::Checkpoint(FloatType::F32),
            Self::F16 => Target::Checkpoint(FloatType::F16),
            Self::Bf16 => Target::Checkpoint(FloatType::Bf16),
        }
    }
}

impl ExportArgs {
    pub(crate) fn run(&self) -> Result<()> {
        let target = self.to.target();
        if let Target::Checkpoint(_) = target {
            self.refuse_flags_of_onnx()?;
        }
        let source = ModelSource::find("model", &self.model)?;
        prepare_output(&self.output, self.overwrite)?;
        let directory = source.directory(self.offline)?;
        let output = OutputDirectory::claim(&self.output)?;
        match target {
            Target::Onnx(precision) => self.write_onnx(&directory, precision)?,
            Target::Checkpoint(float) => self.write_checkpoint(&directory, float)?,
        }
        output.keep();
        let mut results = Results::new();
        results.line(&self.output.display().to_string())?;
        results.flush()
    }

    fn refuse_flags_of_onnx(&self) -> Result<()> {
        let given = [
            ("--task", self.task.is_some()),
            ("--external-data", self.external_data),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => {
                let reason = format!("{flag} is for ONNX models: --to onnx or --to onnx-int8");
                Err(WrongUsage(reason).into())
            }
            None => Ok(()),
        }
    }

    fn write_checkpoint(&self, directory: &Path, float: FloatType) -> Result<()> {
        let checkpoint = open(directory)?;
        let files = Files::of(checkpoint.directory())?;
        convert_to(&checkpoint, float, &files.copied, &self.output)?;
        let written = Checkpoint::open(&self.output)?;
        say!("wrote   {}", total_line(&summary(&written)));
        files.note_left();
        Ok(())
    }
}
