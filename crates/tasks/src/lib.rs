//! The downstream tasks: everything about a model but its training.
//!
//! ```text
//! checkpoint directory ──open──▶ setup (configuration, tokenizer, labels) ──load──▶ model ──save──▶ directory
//! data file ──encode──▶ split ──evaluate──▶ figures and predictions
//! texts ──predict──▶ predictions
//! ```
//!
//! Each task is a module with a setup type that does these steps and an implementation of [`Task`], which is all that a
//! training loop knows. [`Pretrained`] holds what every task takes from a checkpoint. [`heads`] runs several models on
//! one encoder.
//!
//! This crate does *not* train, draw progress bars, parse flags, or choose devices.

mod class_weights;
mod error;
mod examine;
mod exported_config;
mod family_keys;
mod inference;
mod label_names;
mod long_text;
mod max_length;
mod peers;
mod pretrained;
mod task;

pub mod adapters;
pub mod heads;
pub mod natural_language_inference;
pub mod pretraining;
pub mod question_answering;
pub mod sentence_embedding;
pub mod shared_encoder;
pub mod statistics;
pub mod text_classification;
pub mod token_classification;

pub use bert_kernels::CrossEntropyOptions;
pub use error::TaskError;
pub use inference::{EVALUATION_BATCH_SIZE, RunOptions, rows_of};
pub use long_text::{Documents, LongText, WindowPool};
pub use max_length::MaxLength;
pub use peers::{Communicator, ExchangeError, Peers, PendingSum, share_out};
pub use pretrained::{DropoutOverride, HeadOrigin, Pretrained, encoder_key_map, key_map};
pub use task::{BatchLoss, Evaluation, Metrics, Position, Task, figures, lower_is_better};
