//! Files of a hub repository, from the hub's own cache if it has them, else from its servers.
//!
//! Repository names and cache layout come from the `hf-hub` crate. Its download is not used, because it keeps a second copy
//! of every file in its own cache, cannot resume a transfer that ended before its rename, and panics on some answers.
//! [`crate::http`] transfers the files, as for every other source.

use std::path::PathBuf;

use hf_hub::{Repo, RepoType};

use super::{Context, accept_copy, url};
use crate::error::SourceError;
use crate::manifest::{HubRepoType, HubSource};
use crate::repository::api::HubApi;
use crate::repository::layout::CachedRepo;
use crate::wanted::Wanted;

pub(super) fn obtain(
    source: &HubSource,
    wanted: &mut [Wanted<'_>],
    context: &mut Context<'_>,
) -> Result<(), SourceError> {
    let repo_type = match source.repo_type {
        HubRepoType::Model => RepoType::Model,
        HubRepoType::Dataset => RepoType::Dataset,
    };
    let repo = Repo::with_revision(source.repo.clone(), repo_type, source.revision.clone());
    let cache = CachedRepo::new(&context.options.hub_cache_folder(), &repo);
    let hub = HubApi::new(context.agent, context.options, repo);
    for wanted in wanted {
        let file = match source.subfolder.as_str() {
            "" => wanted.spec.path.clone(),
            folder => format!("{folder}/{}", wanted.spec.path),
        };
        if let Some(path) = cached(&cache, &source.revision, &file)
            && accept_copy(wanted, &path, None).is_ok()
        {
            continue;
        }
        if context.options.offline {
            return Err(SourceError::NeedsNetwork);
        }
        if context.options.hub_offline {
            return Err(SourceError::HubOffline { file });
        }
        // The hub states the sha256 of its large files. If this request fails, the transfer fails too and reports the
        // reason.
        let remote = match wanted.is_verifiable() {
            true => None,
            false => hub.describe(&source.revision, &file).ok(),
        };
        let announced = remote.as_ref().and_then(|remote| remote.sha256());
        let address = hub.file_url(&source.revision, &file);
        url::transfer(&address, hub.token(), announced, wanted, context)?;
    }
    Ok(())
}

/// The file in the hub's cache. A revision that is a commit has a snapshot there but no reference.
fn cached(cache: &CachedRepo, revision: &str, file: &str) -> Option<PathBuf> {
    let commit = cache.commit_of(revision);
    let path = cache
        .snapshot(commit.as_deref().unwrap_or(revision))
        .join(file);
    path.is_file().then_some(path)
}
