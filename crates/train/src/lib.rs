//! Fine-tuning on Burn: one optimiser step and the loop around it.
//!
//! ```text
//! rows → batches → loss → backward → global-norm clip → AdamW groups → schedule → metrics → log, checkpoints
//! ```
//!
//! [`train()`] runs the loop over anything that is a [`Task`](bert_tasks::Task). The numbers are those of transformers'
//! `Trainer`: AdamW with decoupled decay off biases and LayerNorm, its schedules, clipping by the global norm,
//! accumulation weighted by the weight of the labels. The loop reports to an [`Observer`]: [`TrainingLog`] writes
//! `training.jsonl`, [`EvaluationLog`] `evaluation.json`, and [`TensorBoardLog`] a file for TensorBoard.
//!
//! This crate does *not* know any task, draw progress bars, parse flags, choose devices, or compute any part of a model.

mod adamw;
mod checkpoint;
mod clip;
mod epoch_rows;
mod error;
mod evaluation_log;
mod feature_cache;
mod files;
mod frozen;
mod moments;
mod observer;
mod options;
mod path;
mod ranks;
mod rates;
mod resume;
mod schedule;
mod selection;
mod step;
mod tensorboard;
mod train;
mod training_log;
mod tune;
mod unread;
mod unreported;

pub use adamw::AdamW;
pub use checkpoint::{
    CHECKPOINTS_DIR, Checkpoint, Checkpointing, Difference, Keep, ResumeError, RunDescription,
    SaveEvery, Stopped, checkpoints_in,
};
pub use clip::{clip_factor, global_norm};
pub use error::TrainError;
pub use evaluation_log::EvaluationLog;
pub use feature_cache::{FeatureCache, FeatureFormat, FeatureStore};
pub use files::prepare_output;
pub use observer::{EvaluationReport, ExchangeReport, Observer, Observers, Plan, StepReport};
pub use options::{Batching, Sampler, TrainOptions};
pub use ranks::{SingleProcess, ThreadRank, Traffic, thread_ranks};
pub use rates::PartRates;
pub use schedule::{Schedule, ScheduleShape};
pub use selection::Selection;
pub use step::{StepOutcome, Stepper};
pub use tensorboard::TensorBoardLog;
pub use train::{Trained, Training, TrainingData, train};
pub use training_log::TrainingLog;
pub use tune::Tune;
