//! What can be wrong with a checkpoint before any module is involved.

use std::io;
use std::path::PathBuf;

use crate::PickleFault;

/// Why a checkpoint cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Nothing lies at the path.
    #[error(
        "{path}: no such checkpoint; give a directory with config.json and model.safetensors or pytorch_model.bin, or the file \
         of the weights"
    )]
    NotFound {
        /// The path that was given.
        path: PathBuf,
    },
    /// The name of the file is that of no weights.
    #[error(
        "{path}: neither a .safetensors file nor a .bin file; give one, or the directory that holds it"
    )]
    NotWeights {
        /// The path that was given.
        path: PathBuf,
    },
    /// A directory, pipe or device lies where a file must be.
    #[error("{path}: expected a regular file")]
    NotAFile {
        /// The path of the file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{path}: cannot be read: {reason}")]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// There are weights but no `config.json`.
    #[error("{path}: no such file; a checkpoint needs config.json beside its weights")]
    NoConfig {
        /// Where `config.json` was looked for.
        path: PathBuf,
    },
    /// `config.json` or the index is not JSON, or not an object of the expected form.
    #[error(transparent)]
    Json(#[from] bert_json::JsonError),
    /// A key of `config.json` is missing or has the wrong type or value.
    #[error("{path}: key `{key}`: {reason}")]
    ConfigKey {
        /// The path of `config.json`.
        path: PathBuf,
        /// The key at fault, or `.` for the whole object.
        key: String,
        /// What was expected.
        reason: String,
    },
    /// The directory holds no weights.
    #[error(
        "{path}: no weights; expected model.safetensors, pytorch_model.bin, or one of these with .index.json and its shards"
    )]
    NoWeights {
        /// The directory.
        path: PathBuf,
    },
    /// The pickled weights cannot be read.
    #[error("{path}: {reason}")]
    Pickle {
        /// The pickled file.
        path: PathBuf,
        /// What is wrong with it.
        reason: PickleFault,
    },
    /// The weights are in a format that is not read.
    #[error("{path}: {format}; {advice}")]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What it is.
        format: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The weights are quantised.
    #[error(
        "{path}: key `quantization_config`: tensor `{tensor}` holds quantised weights ({method}), which the loader does not \
         read; take the checkpoint from before the quantisation"
    )]
    Quantised {
        /// The path of `config.json`.
        path: PathBuf,
        /// The first quantised tensor.
        tensor: String,
        /// `quant_method` of the configuration.
        method: String,
    },
    /// The file ends before its header does.
    #[error(
        "{path}: cut short, or not a safetensors file (a Git LFS pointer?): its header should take {declared} bytes \
         after the first 8, the file has {found} bytes in all"
    )]
    HeaderCutShort {
        /// The path of the file.
        path: PathBuf,
        /// The header's length as the file declares it.
        declared: u64,
        /// The file's length.
        found: u64,
    },
    /// The declared header is longer than the format allows.
    #[error(
        "{path}: its header declares {declared} bytes, more than the {limit} that the format allows; \
         this is not a safetensors file"
    )]
    HeaderTooLarge {
        /// The path of the file.
        path: PathBuf,
        /// The header's length as the file declares it.
        declared: u64,
        /// The longest header the format allows.
        limit: u64,
    },
    /// The header is not JSON of the expected form, or its offsets, shapes and dtypes contradict each other.
    #[error("{path}: invalid safetensors header: {reason}")]
    InvalidHeader {
        /// The path of the file.
        path: PathBuf,
        /// The contradiction.
        reason: String,
    },
    /// The file's length is not the length its header implies.
    #[error(
        "{path}: truncated or damaged: the header describes a file of {expected} bytes, found {found}; fetch it again"
    )]
    WrongLength {
        /// The path of the file.
        path: PathBuf,
        /// The length that the header implies.
        expected: u64,
        /// The file's length.
        found: u64,
    },
    /// The index names a shard that is not there.
    #[error("{path}: the index assigns tensors to this shard, but there is no such file")]
    MissingShard {
        /// The path of the shard.
        path: PathBuf,
    },
    /// The index names a file outside the checkpoint's directory.
    #[error("{index}: shard `{shard}` must be the name of a file in the same directory")]
    ShardOutsideDirectory {
        /// The path of the index.
        index: PathBuf,
        /// The shard as the index names it.
        shard: String,
    },
    /// The index assigns a tensor to a shard that does not hold it.
    #[error("{index}: tensor `{tensor}` should be in `{shard}`, which does not hold it")]
    MissingInShard {
        /// The path of the index.
        index: PathBuf,
        /// The tensor.
        tensor: String,
        /// The shard that should hold it.
        shard: String,
    },
    /// Two shards hold a tensor of one name.
    #[error("tensor `{tensor}` is in both {first} and {second}")]
    DuplicateTensor {
        /// The tensor.
        tensor: String,
        /// The first shard that holds it.
        first: PathBuf,
        /// The second shard that holds it.
        second: PathBuf,
    },
}
