//! Differentiable operations that BERT needs and Burn does not have, as Burn backend extensions.
//!
//! | operation | what Burn has instead | why that is not enough |
//! |---|---|---|
//! | [`gelu`] | `burn::tensor::activation::gelu` | on ndarray and CubeCL its backward is the derivative of the tanh approximation, up to 8.7e-4 off the forward's own (erf) derivative |
//! | [`embedding`] | `burn::tensor::module::embedding` | no `padding_idx`: the padding row must receive no gradient from a lookup |
//!
//! | [`masked_cross_entropy`] | `burn::nn::loss::CrossEntropyLoss` | its pad tokens cannot be −100, and a batch in which every row is padding gives NaN |
//!
//! The first two have a *composed* body beside it ([`gelu_composed`], [`embedding_composed`]) that is
//! written in ordinary tensor operations and means the same: it is the reference that the tests hold the operation against,
//! forward and backward, on every backend.
//!
//! An extension is dispatched at run time to the backends that are compiled in, so this crate has one Cargo feature per
//! backend (`flex`, `ndarray`, `wgpu`, `vulkan`, `metal`, `cuda`): enable the same ones here as on `burn`.
//!
//! This crate does *not* hold layers, parameters or anything that knows what a token is.

mod cross_entropy;
mod embedding;
mod gelu;
mod ops;

pub use cross_entropy::{IGNORE_INDEX, masked_cross_entropy};
pub use embedding::{embedding, embedding_composed};
pub use gelu::{gelu, gelu_composed};
pub use ops::BertOps;
