//! Options of a fetch: folders, addresses, and what it may use.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use directories::{BaseDirs, ProjectDirs};

use crate::error::FetchError;

const DEFAULT_HUB_ENDPOINT: &str = "https://huggingface.co";

/// The settings of a [`Fetcher`](crate::Fetcher).
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// The cache folder.
    pub home: PathBuf,
    /// A folder that the fetcher searches for files by hash before it asks any source.
    pub datasets: Option<PathBuf>,
    /// Whether the network is forbidden.
    pub offline: bool,
    /// The hub's address.
    pub hub_endpoint: String,
    /// The hub's own home, whose cache the fetcher reads before it uses the network; `None` for no such cache.
    pub hub_home: Option<PathBuf>,
    /// Whether the hub alone is forbidden (its cache is still read).
    pub hub_offline: bool,
    /// The hub's access token; without one the token file of `hub_home` is read.
    pub hub_token: Option<AccessToken>,
    /// Command lines of `pip`, in the order in which the fetcher tries them.
    pub pip_commands: Vec<Vec<String>>,
    /// Attempts at one file's transfer before its source counts as failed. Each attempt resumes the last.
    pub attempts: u32,
    /// The pause before the second attempt. The pauses before later attempts are multiples of it.
    pub retry_delay: Duration,
    /// How long a server may be silent.
    pub timeout: Duration,
}

/// A secret that does not show itself in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(pub String);

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessToken(…)")
    }
}

impl FetchOptions {
    /// Options with the cache at `home` and every other setting at its default.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self {
            home: home.into(),
            datasets: None,
            offline: false,
            hub_endpoint: DEFAULT_HUB_ENDPOINT.to_owned(),
            hub_home: None,
            hub_offline: false,
            hub_token: None,
            pip_commands: ["python3 -m pip", "python -m pip", "pip"]
                .map(words)
                .to_vec(),
            attempts: 5,
            retry_delay: Duration::from_secs(1),
            timeout: Duration::from_secs(60),
        }
    }

    /// Options from the process's environment:
    ///
    /// | variable | meaning | without it |
    /// |---|---|---|
    /// | `BERT_HOME` | the cache folder | the platform's cache directory |
    /// | `BERT_DATASETS` | a folder searched by hash first | none |
    /// | `HF_HOME` | the hub's home: its cache is read, its `token` file used | `~/.cache/huggingface` |
    /// | `HF_TOKEN` | the hub's access token | the token file |
    /// | `HF_ENDPOINT` | the hub's address | the public hub |
    /// | `HF_HUB_OFFLINE` | `1`, `true`, `yes` or `on` forbids the hub | allowed |
    ///
    /// # Errors
    /// [`FetchError::NoHome`] when `BERT_HOME` is not set and the platform names no cache directory.
    pub fn from_env() -> Result<Self, FetchError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// As [`FetchOptions::from_env`], from any table of variables; an empty value counts as unset.
    ///
    /// # Errors
    /// As [`FetchOptions::from_env`].
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, FetchError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let home = set("BERT_HOME")
            .map(PathBuf::from)
            .or_else(platform_cache)
            .ok_or(FetchError::NoHome)?;
        let mut options = Self::new(home);
        options.datasets = set("BERT_DATASETS").map(PathBuf::from);
        options.hub_home = set("HF_HOME").map(PathBuf::from).or_else(default_hub_home);
        options.hub_token = set("HF_TOKEN").map(AccessToken);
        options.hub_offline = set("HF_HUB_OFFLINE").is_some_and(|value| is_true(&value));
        if let Some(endpoint) = set("HF_ENDPOINT") {
            options.hub_endpoint = endpoint;
        }
        Ok(options)
    }
}

fn words(command: &str) -> Vec<String> {
    command.split(' ').map(str::to_owned).collect()
}

fn platform_cache() -> Option<PathBuf> {
    ProjectDirs::from("", "", "bert-on-burn").map(|dirs| dirs.cache_dir().to_path_buf())
}

fn default_hub_home() -> Option<PathBuf> {
    BaseDirs::new().map(|dirs| dirs.home_dir().join(".cache").join("huggingface"))
}

/// The words that the hub's own client takes for yes.
fn is_true(value: &str) -> bool {
    ["1", "true", "yes", "on"].contains(&value.to_ascii_lowercase().as_str())
}
