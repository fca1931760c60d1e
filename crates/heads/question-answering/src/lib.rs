//! Extractive question answering on BERT: `BertForQuestionAnswering` of transformers, its loss, the way from its logits to
//! the best spans, and the metrics of SQuAD 1.1 and 2.0.
//!
//! A context that is longer than the model's sequence is read in overlapping windows, one row of a batch each. The head
//! gives every token of a window a logit for being an answer's start and one for being its end; [`decode`] puts the
//! windows of a question together. Positions in a context are counted in characters (Unicode scalar values).
//!
//! Weights come from `bert-weights`, by the encoder's key map under the prefix `bert.` and this crate's [`KEY_MAP`].
//!
//! This crate does *not* tokenize, make windows, read data sets or train, and never sees a context's text.

pub mod metrics;

mod decode;
mod loss;
mod model;

pub use decode::{Candidate, DecodeOptions, Decoded, Span, Window, decode};
pub use loss::{loss, window_loss};
pub use model::{ModelForQuestionAnswering, QuestionAnsweringConfig, SpanLogits};

/// Checkpoint name and module path of the head's own parameters, one pair a line.
pub const KEY_MAP: &str = include_str!("keys.tsv");
