//! The grammar of the command line.

use clap::{Parser, Subcommand};

use crate::commands::{
    bench, compare, convert, doctor, embed, export, fetch, inspect, merge, models, report,
};
use crate::tasks::{CheckTask, EvaluateTask, PredictTask, TrainTask};

/// Fine-tunes pre-trained BERT models, evaluates them and predicts with them.
#[derive(Debug, Parser)]
#[command(
    name = "bert",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Results go to standard output, messages and progress to standard error. Exit code: 0 success, 1 failure, \
                  2 wrong usage.\n\
                  Environment: BERT_HOME is the folder of fetched models and data sets. BERT_DATASETS is a folder that \
                  is searched before anything is downloaded. BERT_MAX_UNPACKED_BYTES is the most that a packed file of \
                  data may unpack to. HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE \
                  mean for models of the hub what they mean in Python."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the models and data sets that have a name
    Models(models::ModelsArgs),
    /// Download models or data sets by name, verify them, and print their directories
    Fetch(fetch::FetchArgs),
    /// Show what a checkpoint holds: configuration, tensors, sizes
    Inspect(inspect::InspectArgs),
    /// Write a checkpoint as a directory with model.safetensors: the same tensors, bit for bit
    Convert(convert::ConvertArgs),
    /// Write a model for other programs: as ONNX, in float32 or int8, or as a checkpoint in float32, float16 or bfloat16
    Export(export::ExportArgs),
    /// Write an adapter and its base model as one plain checkpoint
    Merge(merge::MergeArgs),
    /// Find what is wrong or odd about data before anyone trains on it
    #[command(subcommand)]
    Check(CheckTask),
    /// Fine-tune a model on labelled data and save it as a directory that transformers opens, too
    #[command(subcommand)]
    Train(TrainTask),
    /// Score a trained model on labelled data; prints the metrics as one JSON object
    #[command(subcommand)]
    Evaluate(EvaluateTask),
    /// Compare the predictions of two models for the same data: is one better, or is it chance?
    Compare(compare::CompareArgs),
    /// Predict with a trained model; prints one JSON object per input line
    #[command(subcommand)]
    Predict(PredictTask),
    /// Turn texts into vectors with a model of sentence embeddings; writes JSON lines or a NumPy file
    Embed(Box<embed::EmbedArgs>),
    /// Draw what a training run left in its directory as one HTML page: curves, figures, confusion, the worst examples
    Report(report::ReportArgs),
    /// Time a training step or a forward pass on random weights, beside the speed of its matrix products alone
    #[command(subcommand)]
    Bench(bench::BenchWork),
    /// Check on this machine that training computes what transformers computes, and say what a bug report needs
    Doctor(doctor::DoctorArgs),
}
