//! Files of a hub repository, from the hub's own cache if it has them, else from its servers.
//!
//! Repository names, cache layout and token come from the `hf-hub` crate. Its download is not used, because it keeps a
//! second copy of every file in its own cache, cannot resume a transfer that ended before its rename, and panics on some
//! answers. [`crate::http`] transfers the files, as for every other source.

use std::path::PathBuf;

use hf_hub::{Cache, Repo, RepoType};

use super::{Context, accept_copy, url};
use crate::error::SourceError;
use crate::manifest::{HubRepoType, HubSource};
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
    let cache = context
        .options
        .hub_home
        .as_ref()
        .map(|home| Cache::new(home.join("hub")));
    let token = context
        .options
        .hub_token
        .as_ref()
        .map(|token| token.0.clone());
    let token = token.or_else(|| cache.as_ref().and_then(Cache::token));
    for wanted in wanted {
        let file = match source.subfolder.as_str() {
            "" => wanted.spec.path.clone(),
            folder => format!("{folder}/{}", wanted.spec.path),
        };
        if let Some(path) = cache.as_ref().and_then(|cache| cached(cache, &repo, &file))
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
        let endpoint = context.options.hub_endpoint.trim_end_matches('/');
        let address = format!(
            "{endpoint}/{}/resolve/{}/{file}",
            repo.url(),
            repo.url_revision()
        );
        let announced = match wanted.is_verifiable() {
            true => None,
            false => announced_hash(&address, token.as_deref(), context),
        };
        url::transfer(
            &address,
            token.as_deref(),
            announced.as_deref(),
            wanted,
            context,
        )?;
    }
    Ok(())
}

/// The file in the hub's cache. A revision that is a commit has a snapshot there but no reference.
fn cached(cache: &Cache, repo: &Repo, file: &str) -> Option<PathBuf> {
    let of_repo = cache.repo(repo.clone());
    of_repo.get(file).or_else(|| {
        let snapshot = of_repo.pointer_path(repo.revision()).join(file);
        snapshot.is_file().then_some(snapshot)
    })
}

/// The hub states the sha256 of its large files in a header of the answer that redirects to the content.
fn announced_hash(address: &str, token: Option<&str>, context: &Context<'_>) -> Option<String> {
    let mut request = context.agent.head(address);
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    // If this request fails, the transfer fails too and reports the reason.
    let response = request
        .config()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .call()
        .ok()?;
    let etag = response
        .headers()
        .get("x-linked-etag")?
        .to_str()
        .ok()?
        .trim_matches('"')
        .to_lowercase();
    let is_sha256 = etag.len() == 64 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_sha256.then_some(etag)
}
