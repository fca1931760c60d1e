//! Kernels of the CPU backends: single passes over slices.

pub(crate) mod attention;
mod buffer;
pub(crate) mod cross_entropy;
mod dropout;
pub(crate) mod elementwise;
pub(crate) mod embeddings;
pub(crate) mod feed_forward;
pub(crate) mod feed_forward_bf16;
pub(crate) mod gated;
pub(crate) mod gemm;
#[cfg(test)]
mod invariance;
pub(crate) mod kept_bf16;
pub(crate) mod layer_norm;
pub(crate) mod linear;
pub(crate) mod linear_bf16;
pub(crate) mod low_rank;
mod math;
pub(crate) mod optimizer;
mod reduce;
pub(crate) mod rotary;
mod simd;
#[cfg(test)]
mod test_data;
pub(crate) mod threads;
mod view;
