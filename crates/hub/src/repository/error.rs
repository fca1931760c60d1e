//! Everything that can go wrong between a name of the hub and its files.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::name::HubName;
use crate::error::{FetchError, SourceError};
use crate::suggest::did_you_mean;

/// Why a model of the hub could not be brought here.
#[derive(Debug, Error)]
pub enum HubError {
    /// The repository is gated, and the request came without a token or from an account without access.
    #[error("{repo} is gated: its owner decides who may read it. Ask for access at {page}{}", gated_advice(*.has_token))]
    Gated {
        /// `OWNER/NAME`
        repo: String,
        /// Where to ask for access.
        page: String,
        /// Whether the request had a token.
        has_token: bool,
    },
    /// The hub shows no such repository to whoever asked.
    #[error("the hub has no model {repo}{}{}", missing_advice(*.status, *.has_token), did_you_mean(.suggestions))]
    NotFound {
        /// `OWNER/NAME`
        repo: String,
        /// The HTTP status: 401 where the repository may also be private.
        status: u16,
        /// Whether the request had a token.
        has_token: bool,
        /// Names like it, the likest first.
        suggestions: Vec<String>,
    },
    /// The hub does not know the token.
    #[error(
        "{endpoint} refuses the access token; set HF_TOKEN to a valid one, or unset it and remove the file `token` in HF_HOME"
    )]
    BadToken {
        /// The hub's address.
        endpoint: String,
    },
    /// The repository may not be read, and the hub says why.
    #[error(
        "{url} answered 403: {message}; the token of HF_TOKEN needs the permission to read this repository"
    )]
    Forbidden {
        /// The address asked.
        url: String,
        /// What the hub says.
        message: String,
    },
    /// The hub's staff has closed the repository.
    #[error("the hub has disabled access to {repo}")]
    Disabled {
        /// `OWNER/NAME`
        repo: String,
    },
    /// The repository has no such branch, tag or commit.
    #[error("{repo} has no branch, tag or commit {revision}; {page} lists them")]
    NoRevision {
        /// `OWNER/NAME`
        repo: String,
        /// What was asked for.
        revision: String,
        /// Where they are listed.
        page: String,
    },
    /// The revision means another commit than at first use.
    #[error(
        "{name}: {} is commit {found} now, but {pinned} was pinned at first use in {}; to keep the pinned one, give \
         {repo}@{pinned}; to accept the change, delete the line of \"{repo}@{}\" there",
        .name.revision(), .lock_file.display(), .name.revision(), repo = .name.repo()
    )]
    Moved {
        /// The model, with the branch or tag that has moved.
        name: Box<HubName>,
        /// The commit that the lock file has.
        pinned: String,
        /// The commit that the hub has.
        found: String,
        /// Where the pin stands.
        lock_file: PathBuf,
    },
    /// Weights without a configuration.
    #[error(
        "{name} holds weights but no config.json, so nobody can tell what model they are; ask its owner to add it"
    )]
    NoConfig {
        /// The name as it was given.
        name: String,
    },
    /// Nothing that can be loaded here.
    #[error(
        "{name} has neither model.safetensors nor pytorch_model.bin; it holds {found}: {advice}"
    )]
    NoWeights {
        /// The name as it was given.
        name: String,
        /// What it holds.
        found: String,
        /// What to do.
        advice: String,
    },
    /// An index names a file of weights that the repository does not hold.
    #[error("{name}: {index} names {shard}, which the repository does not hold")]
    MissingShard {
        /// The name as it was given.
        name: String,
        /// The index.
        index: String,
        /// The file that it names.
        shard: String,
    },
    /// A file that names other files is not what its name says.
    #[error("{name}: {file}: {message}")]
    BadFile {
        /// The name as it was given.
        name: String,
        /// The file.
        file: String,
        /// What is wrong with it.
        message: String,
    },
    /// The network is forbidden, and the cache lacks something.
    #[error(
        "the hub's cache ({}) does not hold {missing} of {name}, and {reason}; fetch {name} once with the network",
        .folder.display()
    )]
    Offline {
        /// The name as it was given.
        name: String,
        /// The folder of the repository in the cache.
        folder: PathBuf,
        /// What is missing.
        missing: String,
        /// Who forbids the network.
        reason: &'static str,
    },
    /// An answer that no hub gives.
    #[error("{url}: {message}; if HF_ENDPOINT is set, it must be the address of a hub")]
    NotAHub {
        /// The address asked.
        url: String,
        /// What is wrong with the answer.
        message: String,
    },
    /// A transfer failed, or what arrived is not what was announced or pinned.
    #[error("{name}: {reason}")]
    Transfer {
        /// The name as it was given.
        name: String,
        /// Why.
        reason: SourceError,
    },
    /// The hub's cache could not be read or written.
    #[error("cannot {action} {}: {reason}; HF_HOME and HF_HUB_CACHE may name another folder", .path.display())]
    Disk {
        /// What was attempted.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system answered.
        reason: io::Error,
    },
    /// The lock file, or our own cache.
    #[error(transparent)]
    Cache(#[from] FetchError),
}

impl HubError {
    pub(crate) fn disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |reason| Self::Disk {
            action,
            path,
            reason,
        }
    }

    /// Whether what an earlier run has fetched may stand in for the hub's answer.
    pub(super) fn leaves_the_cache(&self) -> bool {
        matches!(
            self,
            Self::Gated { .. }
                | Self::NotFound { .. }
                | Self::BadToken { .. }
                | Self::Forbidden { .. }
                | Self::NotAHub { .. }
                | Self::Transfer { .. }
        )
    }
}

fn gated_advice(has_token: bool) -> &'static str {
    match has_token {
        true => {
            "; the account of the token that was used has no access, or the token may not read gated repositories"
        }
        false => ", and set HF_TOKEN to a token of the account that has it",
    }
}

fn missing_advice(status: u16, has_token: bool) -> &'static str {
    match (status, has_token) {
        (_, true) => ", or the account of the token that was used may not read it",
        (401, false) => {
            " that everybody may read; if it is private, set HF_TOKEN to a token that may read it"
        }
        (_, false) => "",
    }
}
