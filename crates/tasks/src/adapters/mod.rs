//! Low-rank adapters in PEFT's layout: LoRA and DoRA.
//!
//! ```text
//! LoraOptions ──Pretrained::train_adapter──▶ load: base, fresh adapters beside its maps ──train──▶ save: adapter directory
//! adapter directory ──Pretrained::open──▶ base with the adapter's head ──load: adapters merged into the weights──▶ model
//! ```
//!
//! An adapter that is opened is merged into the weights as they are loaded, so that a model with an adapter runs as fast as
//! one without.

mod config;
mod directory;
mod error;
mod fresh;
mod merge;
mod options;
mod plain;
mod save;
mod targets;

pub use directory::{base_on_hub, is_adapter};
pub use error::AdapterError;
pub use fresh::adapt;
pub use options::{BaseModel, LoraOptions, LoraTargets};
pub use plain::write_merged;

pub(crate) use directory::Adapter;
pub(crate) use fresh::FreshAdapter;
