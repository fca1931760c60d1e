//! Encoders of BERT's family and their heads as ONNX models, written from Rust: no Python, no tracing.
//!
//! ```
//! use bert_encoder::EncoderConfig;
//! use bert_onnx::{Head, OnnxModel, Precision};
//! use bert_sentence_embedding::SentenceEncoder;
//! use burn::tensor::Device;
//!
//! let config = EncoderConfig { hidden_size: 32, num_attention_heads: 4, num_hidden_layers: 2, ..EncoderConfig::default() };
//! let model = SentenceEncoder { encoder: config.init(&Device::flex())? };
//! let model = OnnxModel::new(&model, &config, Head::None, Precision::Float32)?;
//! let mut file = Vec::new();
//! model.write(&mut file)?;
//! assert_eq!(file.len() as u64, model.byte_len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Inputs and outputs have the names that optimum gives them, and any batch and length up to the model's longest. Weights
//! have the paths of the module's parameters. The numbers that a family's attention needs beside its weights come from
//! `bert-encoder`, so that both compute the same. The operators are those of the standard, version 17.
//!
//! This crate does *not* open checkpoints, pool sentence embeddings, write configurations or tokenizers, or run a model.

mod activation;
mod encoder;
mod error;
mod file;
mod graph;
mod head;
mod initializer;
mod linear;
mod model;
mod operations;
mod parameters;
pub mod proto;
mod quantized;

pub use error::OnnxError;
pub use head::Head;
pub use model::{OnnxModel, Precision};
