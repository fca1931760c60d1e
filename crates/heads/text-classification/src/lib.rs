//! Text classification on BERT: `BertForSequenceClassification` of transformers, its three problem types with their losses,
//! and the metrics that GLUE reports for them.
//!
//! | [`ProblemType`] | labels | loss | prediction |
//! |---|---|---|---|
//! | `SingleLabelClassification` | [`Labels::Classes`] | cross-entropy | softmax |
//! | `MultiLabelClassification` | [`Labels::MultiHot`] | binary cross-entropy with logits | sigmoid |
//! | `Regression` | [`Labels::Values`] | mean squared error | the logits |
//!
//! Weights come from `bert-weights`, by the encoder's key map under the prefix `bert.` and this crate's [`KEY_MAP`].
//!
//! This crate does *not* tokenize, read data sets, train, or know label names.

pub mod metrics;

mod loss;
mod model;

pub use loss::{Labels, loss};
pub use model::{ModelForSequenceClassification, ProblemType, SequenceClassificationConfig};

/// Checkpoint name and module path of the head's own parameters, one pair a line.
pub const KEY_MAP: &str = include_str!("keys.tsv");
