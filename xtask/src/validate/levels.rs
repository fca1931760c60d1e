//! Arrows between crates point down only, never sideways.

use std::collections::BTreeMap;

use super::Violation;
use crate::workspace::{Dependency, Package};

/// Helpers of tests: any package may have them as a development dependency, only `tests` as another.
pub(super) const TESTING: &str = "crates/testing";

/// The level of the package in `directory`, or `None` for a place that the plan does not have.
///
/// ```text
/// L6  cli   examples   tests   tests/fuzzing
/// L5  doctor
/// L4  train   mpi
/// L3  tasks
/// L2  heads/*   text   onnx   report   parity
/// L1  encoder   weights   hub   device
/// L0  kernels   json
/// ```
///
/// [`TESTING`] may depend on what an L3 package may. Development dependencies may point sideways: a test of the encoder
/// loads a checkpoint.
pub(super) fn level(directory: &str) -> Option<u8> {
    match directory {
        "crates/kernels" | "crates/json" => Some(0),
        "crates/encoder" | "crates/weights" | "crates/hub" | "crates/device" => Some(1),
        "crates/onnx" | "crates/parity" | "crates/report" | "crates/text" => Some(2),
        "crates/tasks" | TESTING => Some(3),
        "crates/train" | "crates/mpi" => Some(4),
        "crates/doctor" => Some(5),
        "crates/cli" | "crates/examples" | "tests" | "tests/fuzzing" => Some(6),
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
            check_dependency(package, own, dependency, directory)
                .map(|message| Violation::new(&package.name, message))
        })
        .collect()
}

/// What is wrong with a dependency on the package in `directory`.
fn check_dependency(
    package: &Package,
    own: u8,
    dependency: &Dependency,
    directory: &str,
) -> Option<String> {
    let name = &dependency.name;
    if directory == TESTING {
        return (!dependency.is_development && package.directory != "tests").then(|| {
            format!("may have {name} as a development dependency alone: it is for tests")
        });
    }
    let other = level(directory);
    let is_allowed =
        other.is_some_and(|other| other < own || (dependency.is_development && other == own));
    (!is_allowed).then(|| {
        let other = other.map_or_else(|| "no level".to_owned(), |other| format!("L{other}"));
        format!(
            "is on L{own} and may not depend on {name} ({other}): dependencies point to a lower level"
        )
    })
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
    fn tests_may_depend_sideways_and_on_the_helpers_of_tests_but_not_upwards() {
        let mut encoder = package(
            "crates/encoder",
            &["bert-testing", "bert-weights", "bert-train"],
        );
        for dependency in &mut encoder.dependencies {
            dependency.is_development = true;
        }
        let others = ["crates/testing", "crates/weights", "crates/train"];
        let packages = [vec![encoder], others.map(|one| package(one, &[])).to_vec()].concat();
        let found = messages(&packages);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("bert-encoder: is on L1 and may not depend on bert-train (L4)")
        );
    }

    #[test]
    fn only_tests_may_bring_the_helpers_of_tests() {
        let found = messages(&[
            package("crates/train", &["bert-testing"]),
            package("tests", &["bert-testing"]),
            package("crates/testing", &["bert-encoder"]),
            package("crates/encoder", &[]),
        ]);
        assert_eq!(
            found,
            [
                "bert-train: may have bert-testing as a development dependency alone: it is for tests"
            ]
        );
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
