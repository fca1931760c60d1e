//! The manifest: the models and data sets that have a name, their files and their sources.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use thiserror::Error;

use crate::repository::known;
use crate::suggest::{self, did_you_mean};

const BUILTIN: &str = include_str!("../weights-manifest.toml");

/// A checked list of entries with distinct names.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    entries: Vec<Entry>,
}

/// One model or data set.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What the user calls it.
    pub name: String,
    /// Model or data set.
    pub kind: Kind,
    /// The licence of the files.
    pub licence: String,
    /// One line about it.
    pub description: String,
    /// What a user should know before the first download.
    pub note: Option<String>,
    /// All of its files.
    pub files: Vec<FileSpec>,
    /// The sources of the files, in the order in which the fetcher tries them.
    pub sources: Vec<Source>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A checkpoint directory.
    Model,
    /// A data set.
    Dataset,
}

/// One file of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// Its path inside the entry's folder, with `/`.
    pub path: String,
    /// Its hash in lower-case hexadecimal; absent when nobody has verified one.
    pub sha256: Option<String>,
    /// Its length in bytes.
    pub size: Option<u64>,
    /// What it is for, in a data set whose splits are files.
    pub split: Option<DataSplit>,
}

/// The parts of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataSplit {
    /// To learn from.
    Train,
    /// To choose the best checkpoint on.
    Dev,
    /// To score in the end.
    Test,
}

/// A source of an entry's files.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A repository of the Hugging Face hub.
    Hub(HubSource),
    /// A Python package, through the user's `pip`.
    Package(PackageSource),
    /// A web address.
    Url(UrlSource),
    /// A folder of this machine.
    Path(PathSource),
}

/// A repository of the hub.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubSource {
    /// `owner/name`.
    pub repo: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// The folder inside the repository; empty for its root.
    #[serde(default)]
    pub subfolder: String,
    /// Model repository unless said otherwise.
    #[serde(default)]
    pub repo_type: HubRepoType,
}

/// The hub's kinds of repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HubRepoType {
    /// Models.
    #[default]
    Model,
    /// Data sets.
    Dataset,
}

/// A package, and where in it the files lie.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageSource {
    /// The package's name.
    pub name: String,
    /// The exact version.
    pub version: String,
    /// Wheel or source distribution.
    pub kind: PackageKind,
    /// The hash of the package file; `pip` checks it before it runs anything.
    pub sha256: Option<String>,
    /// Archives within the archive, outermost first. Their paths leave out the top folder of a source distribution.
    #[serde(default)]
    pub archives: Vec<String>,
    /// The folder of the files in the innermost archive; empty for its root.
    #[serde(default)]
    pub path: String,
}

/// The two forms of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageKind {
    /// A zip that is installed as it is.
    Wheel,
    /// A tar with one top folder.
    Sdist,
}

/// A web address: of a folder, or of one archive that holds every file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrlSource {
    /// With a final `/`, the address of a folder to which each file's path is added; otherwise that of an archive
    /// (zip, tar or tar.gz).
    pub url: String,
    /// The hash of the archive.
    pub sha256: Option<String>,
    /// The folder of the files in the archive; empty for its root.
    #[serde(default)]
    pub path: String,
}

impl UrlSource {
    /// Whether the address is that of a folder, not of an archive.
    pub fn is_folder(&self) -> bool {
        self.url.ends_with('/')
    }

    /// The file name in the address.
    pub(crate) fn last_segment(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or(&self.url)
    }
}

/// A local folder; a relative one counts from the current directory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathSource {
    /// The folder that holds the files.
    pub folder: PathBuf,
}

/// What is wrong with a manifest, or with a name that it should know.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ManifestError {
    /// Not TOML, an unknown key, or a value of the wrong type.
    #[error("the manifest cannot be read: {0}")]
    Syntax(String),
    /// Two entries share a name.
    #[error("the manifest has two entries named {0}")]
    DuplicateName(String),
    /// An entry is inconsistent.
    #[error("manifest entry {name}: {problem}")]
    Entry {
        /// The entry.
        name: String,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// No entry has the name.
    #[error("the manifest has no model or data set named {name:?}{}", did_you_mean(.suggestions))]
    UnknownName {
        /// The name asked for.
        name: String,
        /// Names like it, the likest first.
        suggestions: Vec<String>,
    },
}

impl Manifest {
    /// The manifest that this library was built with.
    ///
    /// # Errors
    /// As [`Manifest::parse`]; a test holds that there are none.
    pub fn builtin() -> Result<Self, ManifestError> {
        Self::parse(BUILTIN)
    }

    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// Not TOML, an unknown key, a duplicate name, an unsafe path, a malformed hash, an entry without files or sources.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Document {
            #[serde(default, rename = "entry")]
            entries: Vec<Entry>,
        }
        let Document { entries } =
            toml::from_str(text).map_err(|refused| ManifestError::Syntax(refused.to_string()))?;
        let mut names = HashSet::new();
        for entry in &entries {
            entry.check().map_err(|problem| ManifestError::Entry {
                name: entry.name.clone(),
                problem,
            })?;
            if !names.insert(entry.name.to_lowercase()) {
                return Err(ManifestError::DuplicateName(entry.name.clone()));
            }
        }
        Ok(Self { entries })
    }

    /// All entries, in the manifest's order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of a name, upper or lower case.
    ///
    /// # Errors
    /// [`ManifestError::UnknownName`], with the names that are like it.
    pub fn entry(&self, name: &str) -> Result<&Entry, ManifestError> {
        self.entries
            .iter()
            .find(|entry| entry.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| ManifestError::UnknownName {
                name: name.to_owned(),
                suggestions: self.names_like(name),
            })
    }

    /// The manifest's names, and repositories of the hub for a user who left out the owner.
    fn names_like(&self, name: &str) -> Vec<String> {
        let own = self.entries.iter().map(|entry| entry.name.as_str());
        let own = own.map(|known| (suggest::similarity(name, known), known));
        suggest::likest(own.chain(known::models_like(name)))
    }
}

impl Entry {
    fn check(&self) -> Result<(), String> {
        if !is_name(&self.name) {
            return Err(
                "a name is letters, digits, '-', '_' and '.', and begins with a letter or digit"
                    .to_owned(),
            );
        }
        if self.licence.trim().is_empty() || self.description.trim().is_empty() {
            return Err("licence and description must not be empty".to_owned());
        }
        if self.files.is_empty() || self.sources.is_empty() {
            return Err("at least one file and one source are needed".to_owned());
        }
        let mut paths = HashSet::new();
        for file in &self.files {
            check_inner_path(&file.path)?;
            check_hash(file.sha256.as_deref())?;
            if !paths.insert(&file.path) {
                return Err(format!("file {} is listed twice", file.path));
            }
        }
        self.sources.iter().try_for_each(Source::check)
    }
}

impl Kind {
    /// The folder of the cache that holds entries of this kind.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::Dataset => "datasets",
        }
    }
}

impl Source {
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Hub(hub) => check_folder(&hub.subfolder),
            Self::Package(package) => {
                check_hash(package.sha256.as_deref())?;
                // Both become arguments of a command, which must not take them for options.
                if !is_name(&package.name) || !is_name(&package.version) {
                    return Err(format!(
                        "package {}=={}: expected a name and a version of letters, digits, '-', '_' and '.'",
                        package.name, package.version
                    ));
                }
                package
                    .archives
                    .iter()
                    .try_for_each(|archive| check_inner_path(archive))?;
                check_folder(&package.path)
            }
            Self::Url(source) => {
                check_hash(source.sha256.as_deref())?;
                if !source.url.starts_with("https://") && !source.url.starts_with("http://") {
                    return Err(format!(
                        "{} does not begin with https:// or http://",
                        source.url
                    ));
                }
                check_folder(&source.path)
            }
            Self::Path(_) => Ok(()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub(hub) => write!(formatter, "hub {}@{}", hub.repo, hub.revision),
            Self::Package(package) => {
                write!(formatter, "package {}=={}", package.name, package.version)
            }
            Self::Url(source) => write!(formatter, "url {}", source.url),
            Self::Path(source) => write!(formatter, "folder {}", source.folder.display()),
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// Only paths that stay inside their folder on every platform.
pub(crate) fn check_inner_path(path: &str) -> Result<(), String> {
    let inside = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0'])
    };
    match path.split('/').all(inside) {
        true => Ok(()),
        false => Err(format!(
            "{path:?} is not a relative path without '.' and '..'"
        )),
    }
}

fn check_folder(path: &str) -> Result<(), String> {
    if path.is_empty() {
        Ok(())
    } else {
        check_inner_path(path)
    }
}

fn check_hash(sha256: Option<&str>) -> Result<(), String> {
    let is_hex = |hash: &str| {
        hash.len() == 64
            && hash
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    match sha256 {
        Some(hash) if !is_hex(hash) => Err(format!(
            "{hash:?} is not a sha256: expected 64 lower-case hexadecimal digits"
        )),
        _ => Ok(()),
    }
}
