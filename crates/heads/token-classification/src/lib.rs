//! Token classification on BERT: `BertForTokenClassification` of transformers, what its logits mean, and how it is scored.
//!
//! | module | |
//! |---|---|
//! | [`tags`] | tags such as `B-person`: their schemes, the entities they mean, conversion |
//! | [`transitions`] | which tag may follow which: constrained decoding |
//! | [`aggregation`] | logits of sub-tokens → entities, by the strategies of transformers' pipeline |
//! | [`metrics`] | precision, recall and F1 of entities, as seqeval computes them |
//!
//! Weights come from `bert-weights`, by the family's key map of the encoder and this crate's [`head_keys`].
//!
//! This crate does *not* tokenize, cut long sentences into windows, read data sets, or train.

pub mod aggregation;
pub mod metrics;
pub mod tags;
pub mod transitions;

mod keys;
mod model;

pub use keys::{HEAD, head_keys};
pub use model::{ModelForTokenClassification, TokenClassificationConfig, loss, weighted_loss};
