//! Fine-tuning on Burn: one optimiser step, the loop around it, and one task implementation per head.
//!
//! ```text
//! rows → batches → loss → backward → global-norm clip → AdamW groups → schedule → metrics → log
//! ```
//!
//! [`train()`] runs the loop over anything that is a [`Task`]; [`text_classification`] is the first, [`token_classification`]
//! another. The numbers are those
//! of transformers' `Trainer`: AdamW with decoupled decay off biases and LayerNorm, linear warm-up and decay, clipping by
//! the global norm, accumulation weighted by label count. What happens is told to an [`Observer`]; [`TrainingLog`] is the
//! one that writes `training.jsonl`.
//!
//! This crate does *not* draw progress bars, parse flags, choose devices, or compute any part of a model.

mod adamw;
mod batch;
mod clip;
mod error;
mod exported_config;
mod files;
mod observer;
mod options;
mod path;
mod pretrained;
mod schedule;
mod step;
mod task;
mod train;
mod training_log;
mod tune;

pub mod heads;
pub mod natural_language_inference;
pub mod pretraining;
pub mod question_answering;
pub mod shared_encoder;
pub mod text_classification;
pub mod token_classification;

pub use adamw::AdamW;
pub use clip::{clip_factor, global_norm};
pub use error::TrainError;
pub use files::prepare_output;
pub use observer::{EvaluationReport, Observer, Observers, Plan, StepReport};
pub use options::{Batching, TrainOptions};
pub use pretrained::{
    DropoutOverride, EVALUATION_BATCH_SIZE, HeadOrigin, Pretrained, key_map, rows_of,
};
pub use schedule::LinearSchedule;
pub use step::{StepOutcome, Stepper};
pub use task::{BatchLoss, Evaluation, Metrics, Position, Task};
pub use train::{Trained, train};
pub use training_log::TrainingLog;
pub use tune::Tune;
