//! Checkpoint directories as transformers writes them, to and from any Burn module.
//!
//! Reading is strict and by name: [`Checkpoint::open`] validates every header before a single value is read, and
//! [`load`] accounts for every tensor of the file and every parameter of the module. [`save`] is the exact inverse.
//! Which tensor belongs to which parameter is data, a two-column [`KeyMap`] that lives beside the module.
//!
//! # Names
//! What checkpoints of different ages call the same tensor is made equal on reading, and only there:
//! - `LayerNorm.gamma` and `LayerNorm.beta` are read as `LayerNorm.weight` and `LayerNorm.bias`;
//! - the prefix `bert.` may be present or absent, whatever the module wants;
//! - `embeddings.position_ids`, a buffer of old versions, is skipped.
//!
//! Two tensors that end up with one name are an error.
//!
//! # Layout
//! burn-store's PyTorch adapter transposes the weight of every [`burn::nn::Linear`], which it recognises by the
//! struct's name. A two-dimensional parameter of any other module is taken as it lies in the file.
//!
//! # Limits
//! This crate does *not* choose a device, know a model or download anything. It does not read pickled PyTorch weights.

mod error;
mod header;
mod key_map;
mod layout;
mod load;
mod mismatch;
mod names;
mod open;
mod plan;
mod same;
mod save;
mod shards;
mod staging;
mod summary;
mod values;

pub use error::CheckpointError;
pub use header::TensorInfo;
pub use key_map::{KeyMap, KeyMapColumn, KeyMapError};
pub use load::{LoadError, LoadOptions, LoadReport, TiedCopy, load};
pub use mismatch::{Mismatch, MisshapenTensor, MissingTensor, WrongDtype};
pub use open::{Checkpoint, read_config, read_tensors};
pub use safetensors::Dtype;
pub use same::{Difference, DifferenceKind, first_difference};
pub use save::{Export, SaveError, save};
pub use summary::{CheckpointSummary, DtypeSummary, summary, summary_of};

/// The configuration beside the weights.
pub const CONFIG_FILE: &str = "config.json";
/// The weights in one file.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// The index that says which shard holds which tensor, when the weights are split.
pub const WEIGHTS_INDEX_FILE: &str = "model.safetensors.index.json";
