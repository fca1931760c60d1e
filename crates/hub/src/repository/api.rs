//! What is asked of the hub: the commit and the files of a revision, and what a file is.
//!
//! The requests are ours and not those of the `hf-hub` crate: its errors keep the status alone, and only the headers
//! `X-Error-Code` and `X-Error-Message` tell a gated repository from a missing one and from a missing revision. It has no
//! offline mode either, and its requests panic on headers that lack what they expect.

use std::thread;

use hf_hub::{Repo, RepoType};
use serde::Deserialize;
use ureq::Agent;
use ureq::Body;
use ureq::http::{HeaderMap, Response, StatusCode, Uri};

use super::error::HubError;
use super::known;
use super::layout::is_safe_name;
use super::name::HubName;
use crate::error::SourceError;
use crate::http::{self, header};
use crate::options::FetchOptions;

/// A repository may have many thousand files; its list is still far below this.
const MOST_LISTING_BYTES: u64 = 64 * 1024 * 1024;
/// A list that takes longer, in times that a server may be silent, is sent by the byte.
const LISTING_TIMEOUTS: u32 = 5;
/// A renamed repository redirects once.
const MOST_REDIRECTS: usize = 5;

/// The hub, asked about one repository.
pub(crate) struct HubApi<'a> {
    agent: &'a Agent,
    options: &'a FetchOptions,
    token: Option<String>,
    repo: Repo,
}

/// The commit that a revision means, and the paths of its files.
pub(super) struct Listing {
    pub(super) commit: String,
    pub(super) files: Vec<String>,
}

/// What the hub says about a file before it sends it.
#[derive(Debug)]
pub(crate) struct RemoteFile {
    /// Where it is downloaded from.
    pub(crate) url: String,
    /// The name of its content in the cache.
    pub(crate) etag: Option<String>,
    /// Its length, unless the hub does not say.
    pub(crate) size: Option<u64>,
    /// The commit that it belongs to.
    pub(crate) commit: Option<String>,
}

impl RemoteFile {
    /// The hash of the content: the hub names its large files by their sha256.
    pub(crate) fn sha256(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| is_sha256(etag))
    }
}

impl<'a> HubApi<'a> {
    pub(crate) fn new(agent: &'a Agent, options: &'a FetchOptions, repo: Repo) -> Self {
        Self {
            agent,
            options,
            token: options.access_token(),
            repo,
        }
    }

    /// For a model by its name.
    pub(super) fn of_model(agent: &'a Agent, options: &'a FetchOptions, name: &HubName) -> Self {
        Self::new(agent, options, model(name))
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The address of a file.
    pub(crate) fn file_url(&self, revision: &str, file: &str) -> String {
        let revision = encoded(revision, false);
        let file = encoded(file, true);
        format!(
            "{}/{}/resolve/{revision}/{file}",
            self.endpoint(),
            self.repo.url()
        )
    }

    /// The commit and the files of the repository's revision.
    pub(super) fn listing(&self) -> Result<Listing, HubError> {
        #[derive(Deserialize)]
        struct Info {
            sha: String,
            siblings: Vec<Sibling>,
        }
        #[derive(Deserialize)]
        struct Sibling {
            rfilename: String,
        }
        let url = format!("{}/api/{}", self.endpoint(), self.repo.api_url());
        let response = self.send(&url, |url| {
            let request = self.authorized(self.agent.get(url)).config();
            let time = self.options.timeout * LISTING_TIMEOUTS;
            request.timeout_recv_body(Some(time)).build().call()
        })?;
        if !response.status().is_success() {
            return Err(self.refusal(&url, response.status(), response.headers()));
        }
        let not_a_hub = |message: String| HubError::NotAHub {
            url: url.clone(),
            message,
        };
        let text = response
            .into_body()
            .into_with_config()
            .limit(MOST_LISTING_BYTES)
            .read_to_string()
            .map_err(|broken| self.transport(&url, &broken))?;
        let info: Info = serde_json::from_str(&text).map_err(|refused| {
            not_a_hub(format!("the answer describes no repository: {refused}"))
        })?;
        if !is_safe_name(&info.sha) {
            return Err(not_a_hub(format!("{:?} is no commit", info.sha)));
        }
        Ok(Listing {
            commit: info.sha,
            files: info
                .siblings
                .into_iter()
                .map(|sibling| sibling.rfilename)
                .collect(),
        })
    }

    /// Asks what a file is, without its content.
    pub(crate) fn describe(&self, revision: &str, file: &str) -> Result<RemoteFile, HubError> {
        let first = self.file_url(revision, file);
        let mut url = first.clone();
        for _ in 0..MOST_REDIRECTS {
            let response = self.send(&url, |url| {
                let request = self.agent.head(url).header("Accept-Encoding", "identity");
                let request = self.authorized(request).config();
                // The headers that count are those of the hub, not those of the store that it redirects to.
                request
                    .max_redirects(0)
                    .max_redirects_will_error(false)
                    .build()
                    .call()
            })?;
            let (status, headers) = (response.status(), response.headers());
            if status.is_redirection() && !headers.contains_key("x-linked-etag") {
                match header(headers, "location").and_then(|to| same_host(&url, to)) {
                    Some(next) => url = next,
                    None => return Ok(remote_file(&first, headers)),
                }
                continue;
            }
            return match status.is_success() || status.is_redirection() {
                true => Ok(remote_file(&url, headers)),
                false => Err(self.refusal(&url, status, headers)),
            };
        }
        Err(HubError::NotAHub {
            url: first,
            message: format!("it redirected {MOST_REDIRECTS} times"),
        })
    }

    fn endpoint(&self) -> &str {
        self.options.hub_endpoint.trim_end_matches('/')
    }

    fn authorized<S>(&self, request: ureq::RequestBuilder<S>) -> ureq::RequestBuilder<S> {
        match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    /// Asks again while the hub says that it is busy.
    fn send(
        &self,
        url: &str,
        call: impl Fn(&str) -> Result<Response<Body>, ureq::Error>,
    ) -> Result<Response<Body>, HubError> {
        let mut attempt = 1;
        loop {
            let response = call(url).map_err(|error| self.transport(url, &error))?;
            let is_busy = response.status() == StatusCode::TOO_MANY_REQUESTS
                || response.status().is_server_error();
            if !is_busy || attempt >= self.options.attempts {
                return Ok(response);
            }
            thread::sleep(self.options.retry_delay * attempt);
            attempt += 1;
        }
    }

    fn transport(&self, url: &str, error: &ureq::Error) -> HubError {
        self.failed(http::transport(url, error))
    }

    fn failed(&self, reason: SourceError) -> HubError {
        HubError::Transfer {
            name: self.repo_name().to_owned(),
            reason,
        }
    }

    /// `OWNER/NAME`, without the `datasets/` of an address.
    fn repo_name(&self) -> String {
        let url = self.repo.url();
        url.strip_prefix("datasets/").unwrap_or(&url).to_owned()
    }

    /// What a status and the hub's own headers say, as huggingface_hub's `hf_raise_for_status` reads them.
    fn refusal(&self, url: &str, status: StatusCode, headers: &HeaderMap) -> HubError {
        let message = header(headers, "x-error-message").unwrap_or_default();
        let repo = self.repo_name();
        let page = format!("{}/{}", self.endpoint(), self.repo.url());
        let has_token = self.token.is_some();
        match (header(headers, "x-error-code"), status.as_u16()) {
            (Some("GatedRepo"), _) => HubError::Gated {
                repo,
                page,
                has_token,
            },
            (Some("RevisionNotFound"), _) => HubError::NoRevision {
                repo,
                revision: self.repo.revision().to_owned(),
                page: format!("{page}/tree/main"),
            },
            (Some("EntryNotFound"), _) => self.failed(http::status_error(url, status)),
            _ if message == "Access to this resource is disabled." => HubError::Disabled { repo },
            (_, 401) if message == "Invalid credentials in Authorization header" => {
                HubError::BadToken {
                    endpoint: self.endpoint().to_owned(),
                }
            }
            (Some("RepoNotFound"), status) | (_, status @ (401 | 404)) => HubError::NotFound {
                suggestions: known::repositories_like(&repo),
                repo,
                status,
                has_token,
            },
            (_, 403) => HubError::Forbidden {
                url: url.to_owned(),
                message: message.to_owned(),
            },
            _ => self.failed(http::status_error(url, status)),
        }
    }
}

/// A model as `hf-hub` names it, which knows its addresses and its folder in the cache.
pub(super) fn model(name: &HubName) -> Repo {
    let (repo, revision) = (name.repo().to_owned(), name.revision().to_owned());
    Repo::with_revision(repo, RepoType::Model, revision)
}

fn remote_file(url: &str, headers: &HeaderMap) -> RemoteFile {
    let linked_etag = header(headers, "x-linked-etag");
    let size = match linked_etag {
        // The length of a redirecting answer is that of its own text.
        Some(_) => header(headers, "x-linked-size"),
        None => header(headers, "content-length"),
    };
    RemoteFile {
        url: url.to_owned(),
        etag: linked_etag
            .or_else(|| header(headers, "etag"))
            .map(|etag| etag.trim_start_matches("W/").trim_matches('"').to_owned()),
        size: size.and_then(|size| size.parse().ok()),
        commit: header(headers, "x-repo-commit").map(str::to_owned),
    }
}

/// The address that `location` names, if it is on the host of `url`: a repository that was renamed.
/// The token goes along, which a step from https to http would show.
fn same_host(url: &str, location: &str) -> Option<String> {
    let from: Uri = url.parse().ok()?;
    let to: Uri = location.parse().ok()?;
    let origin = format!("{}://{}", from.scheme_str()?, from.authority()?);
    let is_safe = to.scheme() == from.scheme() || to.scheme_str() == Some("https");
    let is_same = to.authority() == from.authority() && is_safe;
    match to.authority() {
        None if location.starts_with('/') => Some(format!("{origin}{location}")),
        _ if is_same => Some(location.to_owned()),
        _ => None,
    }
}

pub(super) fn is_sha256(etag: &str) -> bool {
    etag.len() == 64
        && etag
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Percent-encodes what is not safe in an address; `/` only where it separates folders.
fn encoded(text: &str, keeps_slashes: bool) -> String {
    let is_plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || (keeps_slashes && byte == b'/')
    };
    text.bytes()
        .map(|byte| match is_plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_keeps_host_and_protocol_or_is_not_followed_with_the_token() {
        let to = |location| same_host("https://hub.example/a/b", location);
        assert_eq!(to("/c").as_deref(), Some("https://hub.example/c"));
        assert_eq!(
            to("https://hub.example/c").as_deref(),
            Some("https://hub.example/c")
        );
        assert_eq!(to("http://hub.example/c"), None);
        assert_eq!(to("https://other.example/c"), None);
        assert!(same_host("http://hub.example/a", "https://hub.example/c").is_some());
    }
}
