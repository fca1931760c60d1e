//! Checkpoint directories as transformers writes them, to and from any Burn module.
//!
//! Reading is strict and by name: [`Checkpoint::open`] validates every header before a single value is read, and
//! [`load`] accounts for every tensor of the file and every parameter of the module. [`save`] is the exact inverse.
//! Which tensor belongs to which parameter is data, a two-column [`KeyMap`] that lives beside the module.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use bert_weights::{Checkpoint, KeyMap, LoadOptions, load};
//! use burn::nn::LinearConfig;
//! use burn::tensor::Device;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The name in the file, and the parameter's path in the module.
//! let keys = KeyMap::parse("classifier.weight weight\nclassifier.bias bias")?;
//! let options = LoadOptions {
//!     ignored: vec!["bert.".into()],
//!     ..LoadOptions::default()
//! };
//! let classifier = LinearConfig::new(384, 2).init(&Device::flex());
//! let checkpoint = Checkpoint::open(Path::new("runs/mine"))?;
//! let (classifier, report) = load(classifier, &checkpoint, &keys, &options)?;
//! assert_eq!(report.loaded, ["classifier.weight", "classifier.bias"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Names
//! Checkpoints of different ages have different names for one tensor. The loader knows all of them:
//! - it reads `LayerNorm.gamma` and `LayerNorm.beta` as `LayerNorm.weight` and `LayerNorm.bias`;
//! - it knows every tensor with and without the base-model prefix of the key map ([`KeyMap::with_base_prefix`]);
//! - it skips `embeddings.position_ids`, a buffer of old checkpoints, and the buffers that the key map declares.
//!
//! Two tensors for one parameter are an error. [`save()`] writes the names of the key map.
//!
//! # Layout
//! burn-store's PyTorch adapter transposes the weight of every [`burn::nn::Linear`], which it recognises by the
//! struct's name. A two-dimensional parameter of any other module is taken as it lies in the file.
//!
//! # Formats
//! The crate reads safetensors and what `torch.save` pickles, each in one file or in shards. It reads a pickle without running
//! it: a pickle that asks for anything but tensors is refused ([`PickleFault`]). [`save()`] and [`convert()`] write
//! safetensors.
//!
//! # Limits
//! This crate does *not* choose a device, know a model or download anything.

mod cast;
mod convert;
mod error;
mod file_state;
mod foreign;
mod header;
mod key_map;
mod layout;
mod load;
mod mismatch;
mod names;
mod open;
mod overlay;
mod pickled;
mod plan;
mod same;
mod save;
mod shards;
mod staging;
mod summary;
mod tensor_file;
mod tensor_info;
mod values;
mod wrapper;

pub use cast::FloatType;
pub use convert::{ConvertError, convert, convert_to};
pub use error::CheckpointError;
pub use key_map::{KeyMap, KeyMapColumn, KeyMapError};
pub use load::{LoadError, LoadOptions, LoadReport, TiedCopy, load};
pub use mismatch::{Mismatch, MisshapenTensor, MissingTensor, WrongDtype};
pub use open::{Checkpoint, read_config, read_json, read_tensors};
pub use pickled::{PickleFault, PicklePlace};
pub use safetensors::Dtype;
pub use same::{Difference, DifferenceKind, first_difference};
pub use save::{AdapterExport, Export, SaveError, save, save_adapter};
pub use staging::Staging;
pub use summary::{CheckpointSummary, DtypeSummary, summary, summary_of};
pub use tensor_file::{NamedTensor, write_tensors};
pub use tensor_info::TensorInfo;

/// The configuration beside the weights.
pub const CONFIG_FILE: &str = "config.json";
/// The weights in one file.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// The index that says which shard holds which tensor, when the weights are split.
pub const WEIGHTS_INDEX_FILE: &str = "model.safetensors.index.json";
/// The configuration of an adapter.
pub const ADAPTER_CONFIG_FILE: &str = "adapter_config.json";
/// The weights of an adapter.
pub const ADAPTER_WEIGHTS_FILE: &str = "adapter_model.safetensors";
/// Pickled weights in one file.
pub const PICKLED_FILE: &str = "pytorch_model.bin";
/// The index of pickled weights that are split.
pub const PICKLED_INDEX_FILE: &str = "pytorch_model.bin.index.json";
