//! Named, verified downloads, checkpoint directories, and safetensors to and from any Burn module.

pub mod checkpoint;
#[cfg(feature = "fetch")]
pub mod fetch;
