//! Burn's version is exact, is named in one place, and is one.

use std::sync::LazyLock;

use regex::Regex;

use super::Violation;
use crate::workspace::{Package, TextFile};

/// A line of a manifest that gives a Burn crate a version of its own instead of the workspace's.
static OWN_VERSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^burn(-[a-z]+)?(\.version\s*=|\s*=\s*"|\s*=.*\bversion\s*=)"#)
        .expect("a constant pattern")
});

pub(super) fn check(packages: &[Package], files: &[TextFile], lock: &str) -> Vec<Violation> {
    let mut violations = check_requirements(packages);
    violations.extend(check_manifests(files));
    violations.extend(check_lock(lock));
    violations
}

fn check_requirements(packages: &[Package]) -> Vec<Violation> {
    packages
        .iter()
        .flat_map(|package| {
            package
                .dependencies
                .iter()
                .filter(|dependency| is_burn(&dependency.name))
                .filter(|dependency| !dependency.requirement.starts_with('='))
                .map(|dependency| {
                    Violation::new(
                        &package.name,
                        format!(
                            "asks for {} {}; Burn is pinned to one exact version in [workspace.dependencies]",
                            dependency.name, dependency.requirement
                        ),
                    )
                })
        })
        .collect()
}

/// The manifests of the workspace's members; the root has the one version, and projects of their own have theirs.
fn check_manifests(files: &[TextFile]) -> impl Iterator<Item = Violation> {
    files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml") && !file.path.starts_with("examples/"))
        .flat_map(|file| {
            file.text
                .lines()
                .enumerate()
                .filter(|(_, line)| OWN_VERSION.is_match(line))
                .map(|(index, _)| {
                    Violation::at_line(
                        &file.path,
                        index + 1,
                        "names a version of Burn; write `workspace = true`",
                    )
                })
        })
}

fn check_lock(lock: &str) -> Option<Violation> {
    let versions: Vec<&str> = lock
        .split("[[package]]")
        .filter(|package| package.lines().any(|line| line == r#"name = "burn""#))
        .filter_map(|package| package.lines().find(|line| line.starts_with("version = ")))
        .collect();
    (versions.len() != 1).then(|| {
        Violation::new(
            "Cargo.lock",
            format!(
                "holds {} versions of burn instead of one: {}",
                versions.len(),
                versions.join(", ")
            ),
        )
    })
}

fn is_burn(name: &str) -> bool {
    name == "burn" || name.starts_with("burn-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::testing::{file, package};

    const LOCK: &str = "[[package]]\nname = \"burn\"\nversion = \"1.2.3\"\n";

    #[test]
    fn one_exact_version_passes() {
        let mut encoder = package("crates/encoder", &["burn"]);
        encoder.dependencies[0].requirement = "=1.2.3".to_owned();
        let files = [
            file("Cargo.toml", "burn = { version = \"=1.2.3\" }"),
            file(
                "crates/encoder/Cargo.toml",
                "burn = { workspace = true, features = [\"x\"] }\nburn.workspace = true",
            ),
        ];
        assert_eq!(check(&[encoder], &files, LOCK), []);
    }

    #[test]
    fn a_requirement_that_is_not_exact_fails() {
        assert_eq!(
            check(&[package("crates/text", &["burn-store"])], &[], LOCK).len(),
            1
        );
    }

    #[test]
    fn a_version_in_a_members_manifest_fails() {
        for line in [
            "burn = \"=1.2.3\"",
            "burn.version = \"=1.2.3\"",
            "burn-store = { version = \"=1.2.3\" }",
        ] {
            let found = check(&[], &[file("crates/text/Cargo.toml", line)], LOCK);
            assert_eq!(found.len(), 1, "{line}");
        }
    }

    #[test]
    fn two_versions_in_the_lock_file_fail() {
        assert_eq!(check(&[], &[], &LOCK.repeat(2)).len(), 1);
    }
}
