//! The encoder of BERT and its family on Burn tensors: configuration, embeddings and layers, numerically the same as
//! `BertModel` of transformers (tests/goldens holds the evidence).
//!
//! ```
//! use bert_encoder::{EncoderConfig, EncoderInput};
//! use burn::tensor::{Device, Int, Tensor};
//!
//! let device = Device::flex();
//! let config = EncoderConfig { hidden_size: 32, num_attention_heads: 4, num_hidden_layers: 2, ..EncoderConfig::default() };
//! let encoder = config.init(&device)?;
//! let input_ids = Tensor::<2, Int>::from_data([[101, 7592, 102]], &device);
//! let output = encoder.forward(EncoderInput::new(input_ids))?;
//! assert_eq!(output.last_hidden_state.dims(), [1, 3, 32]);
//! # Ok::<(), bert_encoder::EncoderError>(())
//! ```
//!
//! What a family of models is stands in [`Family`], as data. Weights come from `bert-weights`, by the two-column table
//! [`Family::keys`]. Backends are chosen by the caller: pass any `&Device`, and enable the Cargo feature of the same name
//! here (`flex`, `ndarray`, `wgpu`, `vulkan`, `metal`, `cuda`).
//!
//! This crate does *not* tokenize, read files, know about labels, or choose a backend.

mod attention;
mod batch;
mod buckets;
mod config;
mod config_keys;
mod convolution;
mod disentangled;
mod disentangled_config;
mod disentangled_positions;
mod embeddings;
mod encoder;
mod error;
mod family;
mod frozen;
mod head;
mod hidden_act;
mod init;
mod input;
mod kernel_args;
mod layer;
mod linear;
mod low_rank;
mod modernbert;
mod parts;
mod pooler;
mod post_norm;
mod pre_norm;
mod relative;
mod rotary;
mod rows;
mod sequences;

pub use attention::SelfAttention;
pub use bert_kernels::{Precision, WeightFormat, without_kernels};
pub use buckets::bias_bucket;
pub use config::EncoderConfig;
pub use convolution::Convolution;
pub use disentangled::DisentangledScores;
pub use disentangled_config::{DisentangledConfig, Distances, PosAttType};
pub use disentangled_positions::DisentangledPositions;
pub use embeddings::Embeddings;
pub use encoder::{Encoder, EncoderOutput, Want};
pub use error::EncoderError;
pub use family::{EmbeddingProjection, Family, FirstPosition, LayerKind, ModelType};
pub use frozen::FrozenStates;
pub use head::{HeadKeys, HeadPart};
pub use hidden_act::HiddenAct;
pub use init::linear;
pub use input::{EncoderInput, PaddedInput, RaggedInput};
pub use layer::{Layer, LayerContext};
pub use linear::Linear;
pub use low_rank::{LowRank, LowRankConfig};
pub use modernbert::{LayerType, ModernBertConfig};
pub use parts::EncoderPart;
pub use pooler::{Pooler, PoolerConfig, Pooling};
pub use post_norm::PostNormLayer;
pub use pre_norm::PreNormLayer;
pub use relative::{RelativeContext, RelativePositions};
pub use rotary::{RotaryPositions, Rotations};
pub use sequences::Sequences;
