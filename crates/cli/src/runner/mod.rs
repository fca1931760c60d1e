//! What `bert check`, `train`, `evaluate` and `predict` do alike for every task.
//!
//! Each command is one function here and one trait that a task implements: [`train::FineTune`], [`evaluate::Evaluate`] and
//! [`predict::Predict`]. All three open a [`TaskModel`]. `bert check` is a set of functions over rows and a report.

pub(crate) mod bootstrap;
pub(crate) mod check;
pub(crate) mod evaluate;
pub(crate) mod inputs;
mod model;
pub(crate) mod predict;
pub(crate) mod repeats;
mod resume;
pub(crate) mod row_files;
mod run_record;
mod same_on_all_ranks;
mod session;
mod skipped;
pub(crate) mod train;

pub(crate) use model::{InferenceFlags, Loaded, TaskModel, print_files, print_unknown_tensors};
