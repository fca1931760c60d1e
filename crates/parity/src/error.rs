use std::io;
use std::path::PathBuf;

use safetensors::{Dtype, SafeTensorError};

/// Why a comparison cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParityError {
    /// A golden file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file of scalars is no JSON.
    #[error("{}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A scalar is missing, or is something else.
    #[error("{case}: golden.json has no {expected} at {pointer}")]
    NoScalar {
        /// The case.
        case: String,
        /// The JSON pointer.
        pointer: String,
        /// What was expected there.
        expected: &'static str,
    },
    /// A file of tensors is damaged.
    #[error("{case}: golden.safetensors: {source}")]
    Tensors {
        /// The case.
        case: String,
        /// What is wrong with it.
        source: SafeTensorError,
    },
    /// A tensor is missing, or has another type.
    #[error("{case}: golden.safetensors has no tensor {name} of type {dtype:?}")]
    NoTensor {
        /// The case.
        case: String,
        /// The tensor's name.
        name: String,
        /// The type expected.
        dtype: Dtype,
    },
    /// The key map lacks a parameter.
    #[error("the key map has no checkpoint name for {path}")]
    NoName {
        /// The parameter's path in its module.
        path: String,
    },
    /// A key map is malformed.
    #[cfg(feature = "encoder")]
    #[error(transparent)]
    Keys(#[from] bert_weights::KeyMapError),
    /// A golden checkpoint does not open.
    #[cfg(feature = "encoder")]
    #[error(transparent)]
    Open(#[from] bert_weights::CheckpointError),
    /// A golden checkpoint does not load.
    #[cfg(feature = "encoder")]
    #[error(transparent)]
    Load(#[from] bert_weights::LoadError),
    /// The encoder refuses a configuration or a batch.
    #[cfg(feature = "encoder")]
    #[error(transparent)]
    Encoder(#[from] bert_encoder::EncoderError),
}
