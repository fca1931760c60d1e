//! A hub with one model repository, as the real one answers.

use std::sync::{Arc, Mutex, MutexGuard};

use sha2::{Digest, Sha256};

use super::server::{Reply, Request, Server};

/// The commit of a fresh repository.
pub(crate) const COMMIT: &str = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41";

/// The hub and what it holds now.
pub(crate) struct StandIn {
    pub(crate) server: Server,
    repository: Arc<Mutex<Repository>>,
}

/// What the hub holds, and how it behaves.
pub(crate) struct Repository {
    pub(crate) name: &'static str,
    pub(crate) commit: String,
    pub(crate) files: Vec<(&'static str, Vec<u8>)>,
    pub(crate) access: Access,
    /// What the repository was called before; the hub redirects.
    pub(crate) old_name: Option<&'static str>,
    /// What the headers say about the length of large files; the truth by default.
    pub(crate) stated_size: Option<usize>,
    /// What the headers say about the hash of large files; the truth by default.
    pub(crate) stated_sha256: Option<String>,
    /// After how many bytes the connection breaks in every large file.
    pub(crate) cut_after: Option<usize>,
    /// The entity tag of small files; one of git's by default.
    pub(crate) small_etag: Option<&'static str>,
}

/// Who may read the repository.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Everybody,
    /// Everybody sees it, and nobody reads it.
    Gated,
    /// Only this token sees it.
    Private(&'static str),
    /// Nobody: the hub's staff has closed it.
    Disabled,
}

impl StandIn {
    pub(crate) fn start(name: &'static str, files: &[(&'static str, &[u8])]) -> Self {
        let repository = Arc::new(Mutex::new(Repository {
            name,
            commit: COMMIT.to_owned(),
            files: files
                .iter()
                .map(|(path, content)| (*path, content.to_vec()))
                .collect(),
            access: Access::Everybody,
            old_name: None,
            stated_size: None,
            stated_sha256: None,
            cut_after: None,
            small_etag: None,
        }));
        let served = Arc::clone(&repository);
        let server = Server::start(move |request, _| {
            served
                .lock()
                .expect("no test panics while it holds the repository")
                .answer(request)
        });
        Self { server, repository }
    }

    /// What it holds, to be changed.
    pub(crate) fn repository(&self) -> MutexGuard<'_, Repository> {
        self.repository
            .lock()
            .expect("no test panics while it holds the repository")
    }

    /// Method and path of every request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.server.requests();
        requests
            .iter()
            .map(|request| format!("{} {}", request.method, request.path))
            .collect()
    }
}

impl Repository {
    fn answer(&self, request: &Request) -> Reply {
        if let Some(sha256) = request.path.strip_prefix("/store/") {
            return self.stored(request, sha256);
        }
        if let Some(old_name) = self.old_name.filter(|name| request.path.contains(name)) {
            let location = request.path.replace(old_name, self.name);
            return Reply::status(307).header("Location", location);
        }
        if let Some(refusal) = self.refuse(request) {
            return refusal;
        }
        let info = format!("/api/models/{}/revision/", self.name);
        let file = format!("/{}/resolve/", self.name);
        if let Some(revision) = request.path.strip_prefix(&info) {
            self.info(revision)
        } else if let Some(rest) = request.path.strip_prefix(&file) {
            let (revision, path) = rest.split_once('/').expect("a revision and a path");
            self.file(revision, path)
        } else {
            missing(request)
        }
    }

    fn refuse(&self, request: &Request) -> Option<Reply> {
        let token = request.headers.get("authorization");
        let is_file = request.path.contains("/resolve/");
        match self.access {
            _ if token.is_some_and(|token| token == "Bearer wrong") => {
                Some(Reply::status(401).header(
                    "X-Error-Message",
                    "Invalid credentials in Authorization header",
                ))
            }
            Access::Gated if is_file => {
                let status = if token.is_some() { 403 } else { 401 };
                Some(Reply::status(status).header("X-Error-Code", "GatedRepo"))
            }
            Access::Private(secret) => {
                let is_known = token.is_some_and(|token| *token == format!("Bearer {secret}"));
                (!is_known).then(|| missing(request))
            }
            Access::Disabled => {
                let message = "Access to this resource is disabled.";
                Some(Reply::status(403).header("X-Error-Message", message))
            }
            Access::Everybody | Access::Gated => None,
        }
    }

    fn knows(&self, revision: &str) -> bool {
        revision == "main" || revision == self.commit
    }

    fn info(&self, revision: &str) -> Reply {
        if !self.knows(revision) {
            return Reply::status(404).header("X-Error-Code", "RevisionNotFound");
        }
        let files = self
            .files
            .iter()
            .map(|(path, _)| format!("{{\"rfilename\": \"{path}\"}}"));
        let files: Vec<String> = files.collect();
        let json = format!(
            "{{\"sha\": \"{}\", \"siblings\": [{}]}}",
            self.commit,
            files.join(", ")
        );
        Reply::body(json.as_bytes())
    }

    fn file(&self, revision: &str, path: &str) -> Reply {
        let Some((_, content)) = self.files.iter().find(|(name, _)| *name == path) else {
            return Reply::status(404).header("X-Error-Code", "EntryNotFound");
        };
        if !self.knows(revision) {
            return Reply::status(404).header("X-Error-Code", "RevisionNotFound");
        }
        let sha256 = sha256(content);
        let is_large = [".safetensors", ".bin", ".h5"]
            .iter()
            .any(|ending| path.ends_with(ending));
        let reply = if is_large {
            let stated = self.stated_sha256.as_ref().unwrap_or(&sha256);
            let size = self.stated_size.unwrap_or(content.len());
            Reply::status(302)
                .header("Location", format!("/store/{sha256}"))
                .header("X-Linked-Etag", format!("\"{stated}\""))
                .header("X-Linked-Size", size.to_string())
        } else {
            let etag = self.small_etag.unwrap_or(&sha256[..40]);
            Reply::body(content).header("ETag", format!("\"{etag}\""))
        };
        reply.header("X-Repo-Commit", self.commit.clone())
    }

    fn stored(&self, request: &Request, wanted: &str) -> Reply {
        let mut contents = self.files.iter().map(|(_, content)| content);
        let Some(content) = contents.find(|content| sha256(content) == wanted) else {
            return Reply::status(404);
        };
        let reply = Reply::file(request, content, Some(&format!("\"{wanted}\"")));
        match self.cut_after {
            Some(bytes) => reply.cut_after(bytes.min(reply_length(content, request))),
            None => reply,
        }
    }
}

/// How long the rest of a content is that a range asks for.
fn reply_length(content: &[u8], request: &Request) -> usize {
    let start = request.headers.get("range").and_then(|range| {
        let digits = range.strip_prefix("bytes=")?.strip_suffix('-')?;
        digits.parse::<usize>().ok()
    });
    content.len() - start.unwrap_or(0)
}

/// To strangers the hub does not say whether a repository is missing or private.
fn missing(request: &Request) -> Reply {
    let status = if request.headers.contains_key("authorization") {
        404
    } else {
        401
    };
    Reply::status(status).header("X-Error-Code", "RepoNotFound")
}

pub(crate) fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
