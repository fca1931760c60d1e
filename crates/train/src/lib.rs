//! Fine-tuning on Burn: one optimiser step and the loop around it.
//!
//! ```text
//! rows → batches → loss → backward → global-norm clip → AdamW groups → schedule → metrics → log
//! ```
//!
//! [`train()`] runs the loop over anything that is a [`Task`](bert_tasks::Task). The numbers are those of transformers'
//! `Trainer`: AdamW with decoupled decay off biases and LayerNorm, linear warm-up and decay, clipping by the global norm,
//! accumulation weighted by label count. The loop reports to an [`Observer`]: [`TrainingLog`] writes
//! `training.jsonl`, [`EvaluationLog`] `evaluation.json`, and [`TensorBoardLog`] a file for TensorBoard.
//!
//! This crate does *not* know any task, draw progress bars, parse flags, choose devices, or compute any part of a model.

mod adamw;
mod clip;
mod error;
mod evaluation_log;
mod files;
mod observer;
mod options;
mod path;
mod rates;
mod schedule;
mod step;
mod tensorboard;
mod train;
mod training_log;
mod tune;

pub use adamw::AdamW;
pub use clip::{clip_factor, global_norm};
pub use error::TrainError;
pub use evaluation_log::EvaluationLog;
pub use files::prepare_output;
pub use observer::{EvaluationReport, Observer, Observers, Plan, StepReport};
pub use options::{Batching, TrainOptions};
pub use rates::PartRates;
pub use schedule::LinearSchedule;
pub use step::{StepOutcome, Stepper};
pub use tensorboard::TensorBoardLog;
pub use train::{Trained, TrainingData, train};
pub use training_log::TrainingLog;
pub use tune::Tune;
