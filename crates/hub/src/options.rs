//! Options of a fetch: folders, addresses, and what it may use.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use directories::{BaseDirs, ProjectDirs};

use crate::error::FetchError;

const DEFAULT_HUB_ENDPOINT: &str = "https://huggingface.co";
/// The hub's home in a cache folder, as huggingface_hub names it.
const HUB_FOLDER: &str = "huggingface";

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
    /// The hub's own home, which holds its cache and its token file; `None` for no such home.
    pub hub_home: Option<PathBuf>,
    /// The hub's own cache, which the fetcher shares with Python: models of the hub go there, and what is there is used
    /// before the network is. By default `hub` in `hub_home`, and without that home `hub` in the cache folder.
    pub hub_cache: Option<PathBuf>,
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
            hub_cache: None,
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
    /// | `HF_HOME` | the hub's home: its cache and its `token` file | `~/.cache/huggingface`, or `huggingface` in `XDG_CACHE_HOME` |
    /// | `HF_HUB_CACHE` | the hub's cache | `hub` in the hub's home |
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
        let xdg_cache = || set("XDG_CACHE_HOME").map(|cache| Path::new(&cache).join(HUB_FOLDER));
        options.hub_home = set("HF_HOME")
            .map(PathBuf::from)
            .or_else(xdg_cache)
            .or_else(default_hub_home);
        options.hub_cache = set("HF_HUB_CACHE").map(PathBuf::from);
        options.hub_token = set("HF_TOKEN").map(AccessToken);
        options.hub_offline = set("HF_HUB_OFFLINE").is_some_and(|value| is_true(&value));
        if let Some(endpoint) = set("HF_ENDPOINT") {
            options.hub_endpoint = endpoint;
        }
        Ok(options)
    }

    /// The hub's access token: the one given, else that of the token file.
    pub(crate) fn access_token(&self) -> Option<String> {
        let given = self.hub_token.as_ref().map(|token| token.0.clone());
        let token =
            given.or_else(|| fs::read_to_string(self.hub_home.as_ref()?.join("token")).ok())?;
        // A line break behind a token would make a header that no server takes.
        let token = token.trim();
        (!token.is_empty()).then(|| token.to_owned())
    }

    /// The folder of the hub's cache.
    pub(crate) fn hub_cache_folder(&self) -> PathBuf {
        let home = self.hub_home.as_ref().unwrap_or(&self.home);
        self.hub_cache.clone().unwrap_or_else(|| home.join("hub"))
    }
}

fn words(command: &str) -> Vec<String> {
    command.split(' ').map(str::to_owned).collect()
}

fn platform_cache() -> Option<PathBuf> {
    ProjectDirs::from("", "", "bert-on-burn").map(|dirs| dirs.cache_dir().to_path_buf())
}

fn default_hub_home() -> Option<PathBuf> {
    BaseDirs::new().map(|dirs| dirs.home_dir().join(".cache").join(HUB_FOLDER))
}

/// The words that the hub's own client takes for yes.
fn is_true(value: &str) -> bool {
    ["1", "true", "yes", "on"].contains(&value.to_ascii_lowercase().as_str())
}
