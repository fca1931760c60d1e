//! Differentiable operations that BERT needs and Burn does not have, as Burn backend extensions.
//!
//! | operation | what Burn has instead | why that is not enough |
//! |---|---|---|
//! | [`gelu`] | `burn::tensor::activation::gelu` | on ndarray and CubeCL its backward is the derivative of the tanh approximation, up to 8.7e-4 off the forward's own (erf) derivative |
//! | [`embedding`] | `burn::tensor::module::embedding` | no `padding_idx`: the padding row must receive no gradient from a lookup |
//! | [`masked_cross_entropy`] | `burn::nn::loss::CrossEntropyLoss` | its pad tokens cannot be −100, and a batch in which every row is padding gives NaN |
//! | [`weighted_cross_entropy`] | `burn::nn::loss::CrossEntropyLoss` | the same; it has no focal loss |
//! | [`adamw_update`] | `burn::optim::AdamW` | twelve passes over memory, bias corrections in single precision |
//! | [`dropout_add_norm`] | dropout, add, `LayerNorm` | a dozen passes each way under autodiff, random numbers one at a time |
//! | [`layer_norm`] | `burn::nn::LayerNorm` | the same |
//! | [`linear`], [`linear_qkv`], [`linear_kv`] | `burn::nn::Linear`, an activation | bias, GELU and GELU's derivative are passes of their own over memory |
//! | [`LowRankWeights`] beside these | two more products, a sum, DoRA's norm of a full weight | the sums are passes of their own, the norm forms a matrix as large as the weight |
//! | [`embed`] | three lookups, two sums, `LayerNorm`, dropout | gradients are put back into the tables on one thread |
//! | [`attention`], [`biased_attention`], [`disentangled_attention`], [`cross_attention`] | `burn::tensor::module::attention` | no dropout, under autodiff taken apart into tensors of `[B, N, S, S]`, and padding takes part |
//! | [`gated_gelu`] | two slices, GELU, a product | each is a pass over memory |
//! | [`rotary`] | `burn::nn::RotaryEncoding` | it turns neighbours, and has positions for padded sequences alone |
//! | [`dropout`] | `burn::nn::Dropout` | random numbers one at a time; the mask is kept in memory |
//! | [`hand_over`] | `Gradients`, at the end of the backward pass | an exchange between processes can begin before |
//! | [`sum_of_squares`] | `x.square().sum()` | a second copy of every gradient |
//! | [`StepOutcomes`] | reads of the loss and of the norm | the host waits for a GPU in every step |
//!
//! Every operation works on every device that is compiled in and on every float type. Where there is a kernel (for single
//! precision, on a CPU for all of them, see [`has_kernels`], on a GPU for what takes many launches) it runs; elsewhere the
//! operation's *composed body* does, which is ordinary tensor operations that mean the same ([`gelu_composed`],
//! [`linear_composed`], …). The tests hold the kernel against the composed body, forward and backward, on
//! every backend. [`without_kernels`] runs any work with composed bodies alone.
//!
//! An extension is dispatched at run time to the backends that are compiled in, so this crate has one Cargo feature per
//! backend (`flex`, `ndarray`, `wgpu`, `vulkan`, `metal`, `cuda`): enable the same ones here as on `burn`.
//!
//! This crate does *not* hold layers, parameters or anything that knows what a token is.

#![cfg_attr(
    not(any(feature = "flex", feature = "ndarray")),
    allow(
        dead_code,
        reason = "the CPU kernels alone read the state for the backward pass, packed weights and their number formats"
    )
)]

mod adamw;
mod attention;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod cpu;
mod cross_entropy;
mod dispatch;
mod dropout;
mod embedding;
mod embeddings;
mod feed_forward;
#[cfg(feature = "flex")]
mod flex;
mod gated;
mod gelu;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod gpu;
mod gpu_ops;
mod hand_over;
mod host;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod host_backends;
mod host_ops;
mod layer_norm;
mod linear;
mod low_rank;
#[cfg(feature = "ndarray")]
mod ndarray;
mod norm;
mod on_device;
mod ops;
mod packed;
mod packed_product;
mod params;
mod relative;
mod rotary;
mod skew;
mod threads;
mod weighted_cross_entropy;

pub use adamw::{AdamWState, AdamWStep, adamw_update, adamw_update_composed};
pub use attention::{
    attention, attention_composed, attention_with_probabilities, biased_attention, cross_attention,
    disentangled_attention,
};
pub use cross_entropy::{IGNORE_INDEX, masked_cross_entropy, masked_cross_entropy_composed};
pub use dispatch::{computes_on_host, has_kernels, without_kernels};
pub use dropout::dropout;
pub use embedding::{embedding, embedding_composed};
pub use embeddings::{EmbeddingIds, EmbeddingWeights, embed, embed_composed};
pub use feed_forward::feed_forward;
pub use gated::gated_gelu;
pub use gelu::{gelu, gelu_composed};
pub use hand_over::{GradientReceiver, depths, hand_over, receive_gradients};
pub use host::{cross_entropy, softmax};
pub use layer_norm::{dropout_add_norm, dropout_add_norm_composed, layer_norm};
pub use linear::{LinearWeights, Projections, linear, linear_composed, linear_kv, linear_qkv};
pub use low_rank::{LowRankWeights, adapted_composed, column_norms, merged_weight};
pub use norm::sum_of_squares;
pub use on_device::{StepOutcomes, steps_on_device};
pub use packed::PackedWeight;
pub use packed_product::PackedProduct;
pub use params::{
    AttentionParams, DropoutMask, EmbeddingParams, Epilogue, NormParams, Precision, WeightFormat,
};
pub use relative::{Positions, scores_by_distance};
pub use rotary::{Rotation, rotary};
pub use threads::on_kernel_threads;
pub use weighted_cross_entropy::{CrossEntropyOptions, focal_factor, weighted_cross_entropy};
