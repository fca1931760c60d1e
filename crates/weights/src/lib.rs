//! Named, verified downloads, checkpoint directories, and safetensors to and from any Burn module.
//!
//! This crate does *not* know any model: what a tensor is called in a checkpoint and in a module is data that its caller brings.

pub mod checkpoint;
#[cfg(feature = "fetch")]
pub mod fetch;
