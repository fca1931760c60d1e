//! The weights manifest and the fetcher: a name becomes a folder of verified files.
//!
//! ```no_run
//! use bert_weights::fetch::{FetchOptions, Fetcher, Manifest, NoProgress};
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
//! The way of one file: the cache, then the folder `$BERT_DATASETS` by hash, then the entry's sources in order; each
//! file is written under a partial name, checked (size, sha256), flushed and renamed, so that a file under its own name
//! is always whole. What lies where is in [`Cache`]; which environment variables count is in [`FetchOptions::from_env`].
//!
//! This module does not print (see [`Progress`]), does not read a checkpoint and names no package registry: packages
//! come through the user's own `pip`, with the user's own settings.

mod archive;
mod cache;
mod collection;
mod disk;
mod error;
mod fetcher;
mod http;
mod manifest;
mod movie_reviews;
mod options;
mod pins;
mod progress;
mod source;
mod stamp;
mod wanted;

pub use cache::Cache;
pub use error::{FetchError, SourceError, SourceFailure};
pub use fetcher::{Fetched, Fetcher};
pub use manifest::{
    Entry, FileSpec, HubRepoType, HubSource, Kind, Manifest, ManifestError, PackageKind,
    PackageSource, PathSource, Source, UrlSource,
};
pub use movie_reviews::{
    MOVIE_REVIEWS_ENTRY, MOVIE_REVIEWS_FILE, MovieReview, MovieReviewError, parse_movie_reviews,
};
pub use options::{AccessToken, FetchOptions};
pub use progress::{NoProgress, Progress};
