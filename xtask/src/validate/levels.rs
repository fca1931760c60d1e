//! Arrows between crates point down only, never sideways.

use std::collections::BTreeMap;

use super::Violation;
use crate::workspace::Package;

/// The level of the package in `directory`, or `None` for a place that the plan does not have.
///
/// ```text
/// L5  cli   examples   tests
/// L4  train
/// L3  tasks
/// L2  heads/*   text
/// L1  encoder   weights   device
/// L0  kernels
/// ```
pub(super) fn level(directory: &str) -> Option<u8> {
    match directory {
        "crates/kernels" => Some(0),
        "crates/encoder" | "crates/weights" | "crates/device" => Some(1),
        "crates/text" => Some(2),
        "crates/tasks" => Some(3),
        "crates/train" => Some(4),
        "crates/cli" | "crates/examples" | "tests" => Some(5),
        _ => is_head(directory).then_some(2),
    }
}

/// Whether `directory` holds a task head.
pub(super) fn is_head(directory: &str) -> bool {
    directory.starts_with("crates/heads/")
}

pub(super) fn check(packages: &[Package]) -> Vec<Violation> {
    let directories: BTreeMap<&str, &str> = packages
        .iter()
        .map(|package| (package.name.as_str(), package.directory.as_str()))
        .collect();
    packages
        .iter()
        .flat_map(|package| check_package(package, &directories))
        .collect()
}

fn check_package(package: &Package, directories: &BTreeMap<&str, &str>) -> Vec<Violation> {
    let Some(own) = level(&package.directory) else {
        return check_unlevelled(package, directories);
    };
    package
        .dependencies
        .iter()
        .filter_map(|dependency| {
            let directory = directories.get(dependency.name.as_str())?;
            let other = level(directory);
            (other.is_none_or(|other| other >= own)).then(|| {
                let other = other.map_or_else(|| "no level".to_owned(), |other| format!("L{other}"));
                Violation::new(
                    &package.name,
                    format!(
                        "is on L{own} and may not depend on {} ({other}): dependencies point to a lower level",
                        dependency.name
                    ),
                )
            })
        })
        .collect()
}

/// `xtask` stands outside the levels and therefore depends on none of them.
fn check_unlevelled(package: &Package, directories: &BTreeMap<&str, &str>) -> Vec<Violation> {
    if package.directory != "xtask" {
        return vec![Violation::new(
            &package.name,
            format!(
                "lies in {}, which has no level; give it one in xtask/src/validate/levels.rs",
                package.directory
            ),
        )];
    }
    package
        .dependencies
        .iter()
        .filter(|dependency| directories.contains_key(dependency.name.as_str()))
        .map(|dependency| {
            Violation::new(
                &package.name,
                format!("may not depend on {}: it only checks", dependency.name),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::testing::package;

    fn messages(packages: &[Package]) -> Vec<String> {
        check(packages).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn dependencies_on_lower_levels_pass() {
        let packages = [
            package("crates/kernels", &["burn"]),
            package("crates/encoder", &["bert-kernels"]),
            package("crates/heads/ner", &["bert-encoder"]),
            package("tests", &["bert-ner", "bert-encoder"]),
            package("xtask", &["clap"]),
        ];
        assert_eq!(messages(&packages), Vec::<String>::new());
    }

    #[test]
    fn a_dependency_upwards_fails() {
        let found = messages(&[
            package("crates/encoder", &["bert-train"]),
            package("crates/train", &[]),
        ]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("bert-encoder: is on L1 and may not depend on bert-train (L4)")
        );
    }

    #[test]
    fn a_dependency_sideways_fails() {
        let packages = [
            package("crates/heads/ner", &["bert-text"]),
            package("crates/text", &[]),
        ];
        assert_eq!(check(&packages).len(), 1);
    }

    #[test]
    fn a_package_without_a_level_fails() {
        assert_eq!(check(&[package("crates/misc", &[])]).len(), 1);
    }

    #[test]
    fn the_checker_depends_on_nothing_it_checks() {
        let packages = [
            package("xtask", &["bert-kernels"]),
            package("crates/kernels", &[]),
        ];
        assert_eq!(check(&packages).len(), 1);
    }
}
