//! The invariants of the repository, each as a pure function from what it looks at to the places that break it.

mod burn_version;
mod crate_docs;
mod file_length;
mod levels;
mod library_code;
mod narrow_dependencies;
mod private_text;
mod published_crates;
mod unsafe_code;

use std::fmt;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::workspace::{Package, TextFile, Workspace};

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// A path, a path with a line, or the name of a package.
    place: String,
    message: String,
}

impl Violation {
    pub(crate) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
        }
    }

    pub(crate) fn at_line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self::new(format!("{path}:{line}"), message)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

/// Checks every rule and fails with the list of violations.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let files = workspace.text_files()?;
    let lock_path = workspace.root.join("Cargo.lock");
    let lock = fs::read_to_string(&lock_path)
        .with_context(|| format!("cannot read {}", lock_path.display()))?;
    let violations = violations(&workspace.packages, &files, &lock);
    for violation in &violations {
        eprintln!("{violation}");
    }
    if violations.is_empty() {
        eprintln!(
            "validate: {} packages and {} files keep every rule",
            workspace.packages.len(),
            files.len()
        );
        Ok(())
    } else {
        bail!("validate: {} violation(s)", violations.len())
    }
}

fn violations(packages: &[Package], files: &[TextFile], lock: &str) -> Vec<Violation> {
    [
        levels::check(packages),
        narrow_dependencies::check(packages),
        burn_version::check(packages, files, lock),
        crate_docs::check(packages, files),
        library_code::check(packages, files),
        private_text::check(files),
        published_crates::check(packages),
        unsafe_code::check(files),
        file_length::check(files, file_length::LONG_FILES),
    ]
    .concat()
}

/// Builders for the packages and files that the rules' tests break.
#[cfg(test)]
mod testing {
    use crate::workspace::{Dependency, Package, TextFile};

    pub(super) fn package(directory: &str, dependencies: &[&str]) -> Package {
        let last = directory.rsplit('/').next().unwrap_or(directory);
        Package {
            name: format!("bert-{last}"),
            directory: directory.to_owned(),
            crate_root: Some(format!("{directory}/src/lib.rs")),
            dependencies: dependencies
                .iter()
                .map(|name| Dependency {
                    name: (*name).to_owned(),
                    requirement: "^1.0".to_owned(),
                    is_development: false,
                    is_local: false,
                })
                .collect(),
            is_published: false,
            missing_metadata: Vec::new(),
        }
    }

    pub(super) fn file(path: &str, text: &str) -> TextFile {
        TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }
}
