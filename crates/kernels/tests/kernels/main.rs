//! The operations against their composed bodies, forward and backward, on every backend of the build.
//!
//! `with_and_without_kernels` runs a test on each backend and, where there are kernels, once more with the kernels off: so both
//! bodies of an operation are held to one result. Random numbers of a device are global and tests run side by side, so no test
//! depends on which numbers it draws.

mod attention;
mod common;
mod contract;
mod cross_entropy;
mod disentangled;
mod dropout;
mod elementary;
mod embeddings;
mod feed_forward;
mod finite_differences;
mod gated;
mod hand_over;
mod linear;
mod linear_bf16;
mod low_rank;
mod norm;
#[cfg(feature = "gpu")]
mod on_device;
mod optimizer;
mod rotary;
mod window;
