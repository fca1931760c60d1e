//! What the checks look at: the packages that Cargo knows and the text files beside them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// Folders that hold no source.
const SKIPPED_FOLDERS: [&str; 5] = [".git", "target", "runs", "__pycache__", ".venv"];

/// What a manifest says for the readers of a package registry.
const REGISTRY_METADATA: [&str; 7] = [
    "description",
    "license",
    "repository",
    "readme",
    "keywords",
    "categories",
    "rust_version",
];

/// The repository and its packages.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target_directory: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Relative to the root, with `/` between its parts.
    pub(crate) directory: String,
    /// Its `lib.rs`, or the `main.rs` of a package without one; relative to the root.
    pub(crate) crate_root: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) is_published: bool,
    /// The keys of [`REGISTRY_METADATA`] that its manifest leaves out.
    pub(crate) missing_metadata: Vec<&'static str>,
}

/// A line of a package's `[dependencies]`, `[dev-dependencies]` or `[build-dependencies]`.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) requirement: String,
    pub(crate) is_development: bool,
    /// Named by a path.
    pub(crate) is_local: bool,
}

/// A text file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    /// Relative to the root, with `/` between its parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Workspace {
    /// Asks Cargo about the workspace that this file belongs to.
    pub(crate) fn load() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies in the workspace")?
            .join("Cargo.toml");
        let metadata = process::output(
            Command::new("cargo")
                .args(["metadata", "--no-deps", "--format-version", "1"])
                .arg("--manifest-path")
                .arg(manifest),
        )?;
        Self::from_metadata(&serde_json::from_str(&metadata)?)
    }

    fn from_metadata(metadata: &Value) -> Result<Self> {
        let root = PathBuf::from(text(metadata, "workspace_root")?);
        let packages = list(metadata, "packages")?
            .iter()
            .map(|package| Package::from_metadata(package, &root))
            .collect::<Result<_>>()?;
        Ok(Self {
            target_directory: PathBuf::from(text(metadata, "target_directory")?),
            packages,
            root,
        })
    }

    /// Every text file of the repository that is written by hand.
    pub(crate) fn text_files(&self) -> Result<Vec<TextFile>> {
        let mut files = Vec::new();
        collect_text_files(&self.root, &self.root, &mut files)?;
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }
}

impl Package {
    fn from_metadata(package: &Value, root: &Path) -> Result<Self> {
        let manifest = PathBuf::from(text(package, "manifest_path")?);
        let directory = manifest.parent().context("a manifest lies in a folder")?;
        let targets = list(package, "targets")?;
        let of_kind = |kind: &str| {
            targets.iter().find(|target| {
                target["kind"]
                    .as_array()
                    .is_some_and(|kinds| kinds.iter().any(|found| found == kind))
            })
        };
        let crate_root = of_kind("lib")
            .or_else(|| of_kind("bin"))
            .map(|target| {
                Ok::<_, anyhow::Error>(relative(root, Path::new(text(target, "src_path")?)))
            })
            .transpose()?;
        Ok(Self {
            name: text(package, "name")?.to_owned(),
            directory: relative(root, directory),
            crate_root,
            dependencies: list(package, "dependencies")?
                .iter()
                .map(Dependency::from_metadata)
                .collect::<Result<_>>()?,
            is_published: package["publish"] != Value::Array(Vec::new()),
            missing_metadata: REGISTRY_METADATA
                .into_iter()
                .filter(|key| is_empty(&package[*key]))
                .collect(),
        })
    }
}

impl Dependency {
    fn from_metadata(dependency: &Value) -> Result<Self> {
        Ok(Self {
            name: text(dependency, "name")?.to_owned(),
            requirement: text(dependency, "req")?.to_owned(),
            is_development: dependency["kind"] == "dev",
            is_local: dependency["path"].is_string(),
        })
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("cargo metadata has no text '{key}'"))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    value[key]
        .as_array()
        .with_context(|| format!("cargo metadata has no list '{key}'"))
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

fn collect_text_files(root: &Path, folder: &Path, files: &mut Vec<TextFile>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !SKIPPED_FOLDERS.contains(&name.as_ref()) {
                collect_text_files(root, &path, files)?;
            }
        } else if is_handwritten(&path) {
            files.push(TextFile {
                path: relative(root, &path),
                text: fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?,
            });
        }
    }
    Ok(())
}

fn is_handwritten(path: &Path) -> bool {
    match path.extension() {
        Some(extension) => ["rs", "toml", "md", "py", "sh", "yml"]
            .iter()
            .any(|handwritten| extension == *handwritten),
        None => path.ends_with(".ci/run"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_from_cargo_metadata() {
        let metadata = serde_json::json!({
            "workspace_root": "/repository",
            "target_directory": "/repository/target",
            "packages": [{
                "name": "bert-encoder",
                "manifest_path": "/repository/crates/encoder/Cargo.toml",
                "targets": [
                    { "kind": ["test"], "src_path": "/repository/crates/encoder/tests/a.rs" },
                    { "kind": ["lib"], "src_path": "/repository/crates/encoder/src/lib.rs" },
                ],
                "dependencies": [
                    { "name": "burn", "req": "=1.2.3", "kind": null },
                    { "name": "serde_json", "req": "^1", "kind": "dev" },
                    { "name": "bert-kernels", "req": "*", "kind": null, "path": "/repository/crates/kernels" },
                ],
                "publish": null,
                "description": "BERT",
                "license": "MIT",
                "keywords": [],
                "categories": ["science"],
                "readme": null,
                "repository": "https://example.org",
            }],
        });
        let workspace = Workspace::from_metadata(&metadata).expect("well-formed");
        let package = &workspace.packages[0];
        assert_eq!(package.directory, "crates/encoder");
        assert_eq!(
            package.crate_root.as_deref(),
            Some("crates/encoder/src/lib.rs")
        );
        assert_eq!(package.dependencies[0].requirement, "=1.2.3");
        assert!(package.dependencies[1].is_development);
        assert!(package.dependencies[2].is_local && !package.dependencies[0].is_local);
        assert!(package.is_published);
        assert_eq!(
            package.missing_metadata,
            ["readme", "keywords", "rust_version"]
        );
    }

    #[test]
    fn the_scan_finds_sources_and_the_continuous_integration_script() {
        for path in [
            "src/lib.rs",
            "Cargo.toml",
            "README.md",
            "a/make.py",
            ".ci/run",
        ] {
            assert!(is_handwritten(Path::new(path)), "{path}");
        }
        for path in ["Cargo.lock", "LICENSE-MIT", "model.safetensors"] {
            assert!(!is_handwritten(Path::new(path)), "{path}");
        }
    }
}
