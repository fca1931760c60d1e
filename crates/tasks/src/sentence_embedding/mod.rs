//! Sentence embeddings: directories of sentence-transformers, prompts, and the vectors of texts.
//!
//! ```text
//! directory ──open──▶ SentenceEmbedder (encoder, tokenizer, pooling, steps, prompts) ──load──▶ SentenceEmbeddingModel
//! texts ──SentenceEmbedder::embed──▶ one vector for each
//! ```

mod dense;
mod directory;
mod embed;
mod embedder;
mod json;
mod lengths;
mod pooling;
mod prompts;

pub use bert_sentence_embedding as head;
pub use embedder::{SentenceEmbedder, StepSetup};
