//! A crate that is published has what a registry and its readers need, and depends on nothing that is not published.

use std::collections::BTreeSet;

use super::Violation;
use crate::workspace::Package;

pub(super) fn check(packages: &[Package]) -> Vec<Violation> {
    let unpublished: BTreeSet<&str> = packages
        .iter()
        .filter(|package| !package.is_published)
        .map(|package| package.name.as_str())
        .collect();
    packages
        .iter()
        .filter(|package| package.is_published)
        .flat_map(|package| {
            let missing = package.missing_metadata.iter().map(|key| {
                let message = format!("is published and has no `{key}`; inherit the workspace's");
                Violation::new(&package.name, message)
            });
            missing.chain(check_dependencies(package, &unpublished))
        })
        .collect()
}

/// Cargo leaves development dependencies without a version out of what it publishes, and needs a version of all others.
fn check_dependencies<'a>(
    package: &'a Package,
    unpublished: &'a BTreeSet<&str>,
) -> impl Iterator<Item = Violation> + 'a {
    package.dependencies.iter().filter_map(|dependency| {
        let name = dependency.name.as_str();
        let problem = if dependency.is_local && unpublished.contains(name) {
            let is_left_out = dependency.is_development && dependency.requirement == "*";
            (!is_left_out).then(|| format!("depends on {name}, which is not published"))?
        } else if dependency.is_local && dependency.requirement == "*" {
            format!("depends on {name} by path alone; give it a version beside the path")
        } else {
            return None;
        };
        Some(Violation::new(&package.name, problem))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::testing::package;

    fn published(directory: &str, dependencies: &[&str]) -> Package {
        let mut package = package(directory, dependencies);
        package.is_published = true;
        for dependency in &mut package.dependencies {
            dependency.is_local = dependency.name.starts_with("bert-");
        }
        package
    }

    #[test]
    fn a_crate_with_everything_passes() {
        let packages = [
            published("crates/kernels", &["burn"]),
            published("crates/encoder", &["bert-kernels"]),
        ];
        assert_eq!(check(&packages), []);
    }

    #[test]
    fn missing_metadata_fails_unless_the_crate_stays_here() {
        let mut encoder = published("crates/encoder", &[]);
        encoder.missing_metadata = vec!["keywords", "readme"];
        assert_eq!(check(&[encoder.clone()]).len(), 2);
        encoder.is_published = false;
        assert_eq!(check(&[encoder]), []);
    }

    #[test]
    fn a_dependency_without_a_version_fails() {
        let mut encoder = published("crates/encoder", &["bert-kernels"]);
        encoder.dependencies[0].requirement = "*".to_owned();
        let found = check(&[encoder, published("crates/kernels", &[])]);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().contains("by path alone"));
    }

    #[test]
    fn an_unpublished_dependency_fails_unless_only_tests_have_it_without_a_version() {
        let mut encoder = published("crates/encoder", &["bert-testing"]);
        let testing = package("crates/testing", &[]);
        assert_eq!(check(&[encoder.clone(), testing.clone()]).len(), 1);
        encoder.dependencies[0].is_development = true;
        assert_eq!(check(&[encoder.clone(), testing.clone()]).len(), 1);
        encoder.dependencies[0].requirement = "*".to_owned();
        assert_eq!(check(&[encoder, testing]), []);
    }
}
