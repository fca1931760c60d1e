//! Models of the hub by their names: from `OWNER/NAME@REVISION` to a folder of verified files.
//!
//! The files lie in the hub's own cache, in the layout of `huggingface_hub`, so that Python and we find what the other has
//! fetched. The lock file pins the commit of a branch or tag and the hashes of the files when they are first used.

pub(crate) mod api;
mod error;
mod formats;
pub(crate) mod known;
pub(crate) mod layout;
mod name;
mod select;
mod work;

use std::fs::File;
use std::path::PathBuf;

pub use error::HubError;
pub use name::HubName;

use crate::fetcher::Fetcher;
use crate::options::FetchOptions;
use crate::pins;
use crate::progress::Progress;
use api::HubApi;
use layout::CachedRepo;
use work::Work;

/// The kind of these models in the folders of our own cache.
const KIND: &str = "hub";

/// Whether the hub is asked about a model that the cache holds whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskHub {
    /// Only if something is missing or nothing is pinned: the pinned commit stays.
    WhenNeeded,
    /// Always: a branch or tag that has moved since is an error.
    Always,
}

/// A model of the hub whose needed files are all on this machine, verified and pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The folder of the files, in the hub's cache.
    pub dir: PathBuf,
    /// The commit that they belong to.
    pub commit: String,
    /// The files.
    pub files: Vec<PathBuf>,
}

/// A request for a model, with what is pinned of it.
struct Request<'a> {
    fetcher: &'a Fetcher,
    name: &'a HubName,
    repo: CachedRepo,
    /// The commit: the name's own, or the pinned one of its branch or tag.
    pinned: Option<String>,
}

impl Fetcher {
    /// Completes the files of a model of the hub that are needed to open it: its configuration, its tokenizer, its weights
    /// (safetensors if there are any, else PyTorch's), and the modules of sentence-transformers.
    ///
    /// # Errors
    /// [`HubError`], one variant for each reason. Files that were complete before stay complete, and nothing is pinned.
    pub fn fetch_hub(
        &self,
        name: &HubName,
        ask: AskHub,
        progress: &mut dyn Progress,
    ) -> Result<Snapshot, HubError> {
        let request = Request::new(self, name)?;
        if ask == AskHub::WhenNeeded
            && let Some(snapshot) = request.pinned_snapshot()?
        {
            return Ok(snapshot);
        }
        match self.options.forbids_the_hub() {
            Some(reason) => request.use_cache(reason, progress),
            None => request.ask_hub(progress),
        }
    }
}

impl<'a> Request<'a> {
    fn new(fetcher: &'a Fetcher, name: &'a HubName) -> Result<Self, HubError> {
        let repo = CachedRepo::new(&fetcher.options.hub_cache_folder(), &api::model(name));
        let pinned = match layout::is_commit(name.revision()) {
            true => Some(name.revision().to_owned()),
            false => pins::read(&fetcher.cache, pins::HUB_REVISIONS)?.remove(&revision_key(name)),
        };
        Ok(Self {
            fetcher,
            name,
            repo,
            pinned,
        })
    }

    /// Its name in the folders of our own cache.
    fn key(&self) -> String {
        self.name.repo().replace('/', "--")
    }

    /// The pinned commit, if every file that it needs is there and is what was pinned. Nothing needs to be written then, so
    /// the caches may be read-only.
    fn pinned_snapshot(&self) -> Result<Option<Snapshot>, HubError> {
        let Some(commit) = &self.pinned else {
            return Ok(None);
        };
        let work = Work::begin(self, commit, None, "")?;
        Ok(work.pinned_snapshot())
    }

    fn use_cache(
        &self,
        reason: &'static str,
        progress: &mut dyn Progress,
    ) -> Result<Snapshot, HubError> {
        let commit = self.pinned.clone();
        let commit = commit.or_else(|| self.repo.commit_of(self.name.revision()));
        let listing = commit.as_ref().map(|commit| self.repo.files(commit));
        let (Some(commit), Some(listing)) = (commit, listing.filter(|files| !files.is_empty()))
        else {
            return Err(self.offline("any file", reason));
        };
        let _guard = self.lock(progress)?;
        let work = Work::begin(self, &commit, None, reason)?;
        work.complete(&listing, progress)
            .map_err(|refused| match refused {
                // The cache may hold a part of the repository only.
                HubError::NoConfig { .. } => self.offline("config.json", reason),
                HubError::NoWeights { .. } => self.offline("usable weights", reason),
                HubError::MissingShard { shard, .. } => self.offline(&shard, reason),
                refused => refused,
            })
    }

    fn ask_hub(&self, progress: &mut dyn Progress) -> Result<Snapshot, HubError> {
        let fetcher = self.fetcher;
        let hub = HubApi::of_model(&fetcher.agent, &fetcher.options, self.name);
        let listing = match hub.listing() {
            Ok(listing) => listing,
            Err(refused) if refused.leaves_the_cache() => {
                let Ok(snapshot) = self.use_cache("", progress) else {
                    return Err(refused);
                };
                progress.note(&format!(
                    "{refused}; taking {} from the hub's cache",
                    self.name
                ));
                return Ok(snapshot);
            }
            Err(refused) => return Err(refused),
        };
        if let Some(pinned) = self
            .pinned
            .as_ref()
            .filter(|pinned| **pinned != listing.commit)
        {
            return Err(self.moved(pinned, &listing.commit));
        }
        let _guard = self.lock(progress)?;
        let work = Work::begin(self, &listing.commit, Some(&hub), "")?;
        work.complete(&listing.files, progress)
    }

    /// Waits until nobody else completes this model.
    fn lock(&self, progress: &mut dyn Progress) -> Result<File, HubError> {
        let cache = &self.fetcher.cache;
        Ok(cache.lock_of(KIND, &self.key(), progress)?)
    }

    fn offline(&self, missing: &str, reason: &'static str) -> HubError {
        HubError::Offline {
            name: self.name.to_string(),
            folder: self.repo.folder().to_path_buf(),
            missing: missing.to_owned(),
            reason,
        }
    }

    fn moved(&self, pinned: &str, found: &str) -> HubError {
        HubError::Moved {
            name: Box::new(self.name.clone()),
            pinned: pinned.to_owned(),
            found: found.to_owned(),
            lock_file: self.fetcher.cache.pins_file(),
        }
    }
}

impl FetchOptions {
    /// Why the hub may not be asked.
    fn forbids_the_hub(&self) -> Option<&'static str> {
        match (self.offline, self.hub_offline) {
            (true, _) => Some("this run is offline"),
            (_, true) => Some("HF_HUB_OFFLINE is set"),
            _ => None,
        }
    }
}

/// The key of a branch or tag in the lock file.
fn revision_key(name: &HubName) -> String {
    format!("{}@{}", name.repo(), name.revision())
}
