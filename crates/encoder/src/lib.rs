//! BERT's encoder on Burn tensors: configuration, embeddings, post-LayerNorm layers and pooler, numerically the same as
//! `BertModel` of transformers (tests/goldens holds the evidence).
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use bert_encoder::{EncoderConfig, EncoderInput};
//! use burn::tensor::{Device, Int, Tensor};
//!
//! let device = Device::flex();
//! let config = EncoderConfig { hidden_size: 32, num_attention_heads: 4, num_hidden_layers: 2, ..EncoderConfig::default() };
//! let encoder = config.init(&device)?;
//! let input_ids = Tensor::<2, Int>::from_data([[101, 7592, 102]], &device);
//! let output = encoder.forward(EncoderInput::new(input_ids))?;
//! assert_eq!(output.last_hidden_state.dims(), [1, 3, 32]);
//! # }
//! # Ok::<(), bert_encoder::EncoderError>(())
//! ```
//!
//! Weights come from `bert-weights`, by the two-column table [`KEY_MAP`]. Backends are chosen by the caller: pass any
//! `&Device`, and enable the Cargo feature of the same name here (`flex`, `ndarray`, `wgpu`, `vulkan`, `metal`, `cuda`).
//!
//! This crate does *not* tokenize, read files, know about labels, or choose a backend.

mod attention;
mod batch;
mod config;
mod embeddings;
mod error;
mod fused;
mod init;
mod layer;
mod model;
mod sequences;

pub use attention::SelfAttention;
pub use bert_kernels::{WeightFormat, without_kernels};
pub use config::{EncoderConfig, HiddenAct};
pub use embeddings::Embeddings;
pub use error::EncoderError;
pub use init::linear;
pub use layer::Layer;
pub use model::{Encoder, EncoderInput, EncoderOutput, Pooler, Pooling, Want};
pub use sequences::Sequences;

/// Checkpoint name and module path of every parameter of [`Encoder`], one pair a line, `{n}` for a layer's number.
pub const KEY_MAP: &str = include_str!("keys.tsv");
