//! Differentiable operations that BERT needs and Burn does not have, as Burn backend extensions.
//!
//! | operation | what Burn has instead | why that is not enough |
//! |---|---|---|
//! | [`gelu`] | `burn::tensor::activation::gelu` | on ndarray and CubeCL its backward is the derivative of the tanh approximation, up to 8.7e-4 off the forward's own (erf) derivative |
//! | [`embedding`] | `burn::tensor::module::embedding` | no `padding_idx`: the padding row must receive no gradient from a lookup |
//! | [`masked_cross_entropy`] | `burn::nn::loss::CrossEntropyLoss` | its pad tokens cannot be −100, and a batch in which every row is padding gives NaN |
//! | [`adamw_update`] | `burn::optim::AdamW` | twelve passes over memory, bias corrections in single precision |
//! | [`dropout_add_norm`] | dropout, add, `LayerNorm` | a dozen passes each way under autodiff, random numbers one at a time |
//! | [`linear`], [`linear_joined`] | `burn::nn::Linear`, an activation | bias, GELU and GELU's derivative are passes of their own over memory |
//! | [`embed`] | three lookups, two sums, `LayerNorm`, dropout | gradients are put back into the tables on one thread |
//! | [`attention`] | `burn::tensor::module::attention` | no dropout, under autodiff taken apart into tensors of `[B, N, S, S]`, and padding takes part |
//! | [`dropout`] | `burn::nn::Dropout` | random numbers one at a time; the mask is kept in memory |
//! | [`sum_of_squares`] | `x.square().sum()` | a second copy of every gradient |
//!
//! Where an operation is more than tensor operations in a row, a *composed* body stands beside it ([`gelu_composed`],
//! [`embedding_composed`], [`adamw_update_composed`]), written in ordinary tensor operations, that means the same: it is
//! the reference that the tests hold the operation against, forward and backward, on every backend. [`without_kernels`] does
//! any work with composed bodies alone.
//!
//! An extension is dispatched at run time to the backends that are compiled in, so this crate has one Cargo feature per
//! backend (`flex`, `ndarray`, `wgpu`, `vulkan`, `metal`, `cuda`): enable the same ones here as on `burn`.
//!
//! This crate does *not* hold layers, parameters or anything that knows what a token is.

mod adamw;
mod attention;
mod composed;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod cpu;
mod cross_entropy;
mod dropout;
mod embedding;
mod embeddings;
#[cfg(feature = "flex")]
mod flex;
mod gelu;
mod host;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod host_backends;
mod host_ops;
mod layer_norm;
mod linear;
#[cfg(feature = "ndarray")]
mod ndarray;
mod norm;
mod ops;
mod packed;
mod threads;

pub use adamw::{AdamWPrimitives, AdamWState, AdamWStep, adamw_update, adamw_update_composed};
pub use attention::{attention, attention_composed, attention_of};
pub use composed::without_kernels;
pub use cross_entropy::{
    IGNORE_INDEX, SavedCrossEntropy, masked_cross_entropy, masked_cross_entropy_composed,
};
pub use dropout::dropout;
pub use embedding::{embedding, embedding_composed};
pub use embeddings::{EmbeddingWeights, SavedEmbeddings, embed};
pub use gelu::{gelu, gelu_composed};
pub use host::softmax;
pub use host_ops::{
    AttentionNumbers, DropoutMask, EmbeddingNumbers, Epilogue, HostKernels, HostOps, LinearNumbers,
    NormNumbers, is_fused,
};
pub use layer_norm::{dropout_add_norm, dropout_add_norm_composed};
pub use linear::{LinearMap, SavedLinear, linear, linear_composed, linear_joined, linear_pair};
pub use norm::sum_of_squares;
pub use ops::BertOps;
pub use packed::{PackedWeight, WeightFormat};
pub use threads::on_kernel_threads;
