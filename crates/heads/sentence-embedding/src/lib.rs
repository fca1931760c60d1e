//! Sentence embeddings on BERT, as sentence-transformers computes them: one vector for each text.
//!
//! ```text
//! tokens [T] ──Encoder──▶ [Q, H], the tokens that are pooled ──Pooling──▶ [B, M·H] ──steps──▶ [B, D]
//! ```
//!
//! Pooling works on tokens one behind the other, without padding. A batch of [`RaggedInput`](bert_encoder::RaggedInput)
//! therefore has no padding anywhere, on devices that have kernels.
//!
//! This crate does *not* read the directories of sentence-transformers, tokenize, or know prompts.

mod dense;
mod model;
mod pooling;
mod vectors;

pub use dense::{Activation, DENSE_KEYS, Dense, DenseConfig};
pub use model::{SentenceEmbeddingModel, SentenceEncoder, Step};
pub use pooling::{Pooling, PoolingMode};
pub use vectors::{normalize, truncate};
