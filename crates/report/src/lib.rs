//! What a training run leaves beside its model, and what people read of it.
//!
//! ```text
//! training.jsonl   every step and evaluation    read here, written by bert-train
//! run.json         model, data, machine         RunFile
//! evaluation.json  the best evaluation, closely EvaluationFile
//! README.md        the model card               ModelCard
//! events.out.…     TensorBoard's event file     EventFile
//! ```
//!
//! [`Report`] reads a directory and draws one HTML page of it, without scripts and without requests. Files that are missing
//! leave a note where their part would be. [`Comparison`] draws several runs on one page.
//!
//! This crate does *not* know a tensor, a model or a task. An [`Examination`] tells it what a task has found.

mod chart;
mod comparison;
mod error;
mod evaluation_file;
mod event_file;
mod examination;
mod format;
mod histogram;
mod model_card;
mod page;
mod reliability;
mod report;
mod run_file;
mod training_record;
mod whole_file;

pub use comparison::Comparison;
pub use error::ReportError;
pub use evaluation_file::EvaluationFile;
pub use event_file::EventFile;
pub use examination::{ConfusionCount, Examination, LabelCounts, WorstExample, worst};
pub use format::count;
pub use histogram::Histogram;
pub use model_card::{ModelCard, Provenance, UsedFor};
pub use reliability::{Reliability, ReliabilityBin};
pub use report::Report;
pub use run_file::{DataPart, Environment, RunFile};
pub use training_record::{Cut, LoggedEvaluation, Start, Step, TrainingRecord};
