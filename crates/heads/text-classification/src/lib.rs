//! Text classification on BERT: `BertForSequenceClassification` of transformers, its three problem types with their losses,
//! and the metrics that GLUE reports for them.
//!
//! | [`ProblemType`] | labels | loss | prediction |
//! |---|---|---|---|
//! | `SingleLabelClassification` | [`Labels::Classes`] | cross-entropy | softmax |
//! | `MultiLabelClassification` | [`Labels::MultiHot`] | binary cross-entropy with logits | sigmoid |
//! | `Regression` | [`Labels::Values`] | mean squared error | the logits |
//!
//! Weights come from `bert-weights`, by the family's key map of the encoder and this crate's [`head_keys`].
//!
//! This crate does *not* tokenize, read data sets, train, or know label names.

pub mod metrics;

mod keys;
mod loss;
mod model;

pub use keys::{HEAD, head_keys};
pub use loss::{Labels, loss, weighted_loss};
pub use model::{ModelForSequenceClassification, ProblemType, SequenceClassificationConfig};
