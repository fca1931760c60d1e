//! What an outside Burn project embeds stays on burn, serde and thiserror.

use super::{Violation, levels};
use crate::workspace::Package;

const ALLOWED: [&str; 5] = ["burn", "serde", "thiserror", "bert-kernels", "bert-encoder"];

/// Exceptions, with their reason: these are optional in the kernels, and only with those of Burn's backends that bring them.
const EXCEPTIONS: [(&str, &str); 4] = [
    ("bert-kernels", "burn-cubecl"),
    ("bert-kernels", "cubecl"),
    ("bert-kernels", "pulp"),
    ("bert-kernels", "rayon"),
];

pub(super) fn check(packages: &[Package]) -> Vec<Violation> {
    packages
        .iter()
        .filter(|package| is_embeddable(&package.directory))
        .flat_map(check_package)
        .collect()
}

fn is_embeddable(directory: &str) -> bool {
    ["crates/kernels", "crates/encoder"].contains(&directory) || levels::is_head(directory)
}

fn check_package(package: &Package) -> impl Iterator<Item = Violation> {
    package
        .dependencies
        .iter()
        .filter(|dependency| !dependency.is_development)
        .filter(|dependency| !is_allowed(&package.name, &dependency.name))
        .map(|dependency| {
            Violation::new(
                &package.name,
                format!(
                    "depends on {}, which everyone who embeds it would get; allowed are {}",
                    dependency.name,
                    ALLOWED.join(", ")
                ),
            )
        })
}

fn is_allowed(package: &str, dependency: &str) -> bool {
    ALLOWED.contains(&dependency) || EXCEPTIONS.contains(&(package, dependency))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::testing::package;

    #[test]
    fn heads_encoder_and_kernels_may_not_bring_anything_else() {
        let found = check(&[
            package("crates/kernels", &["burn"]),
            package("crates/encoder", &["burn", "serde", "tokenizers"]),
            package("crates/heads/ner", &["bert-encoder", "bert-weights"]),
            package("crates/cli", &["clap"]),
        ]);
        let places: Vec<_> = found.iter().map(|violation| &violation.place).collect();
        assert_eq!(places, ["bert-encoder", "bert-ner"]);
    }

    #[test]
    fn an_exception_holds_for_one_package_only() {
        let kernels = package("crates/kernels", &["rayon"]);
        let encoder = package("crates/encoder", &["rayon"]);
        let places: Vec<_> = check(&[kernels, encoder])
            .into_iter()
            .map(|v| v.place)
            .collect();
        assert_eq!(places, ["bert-encoder"]);
    }

    #[test]
    fn their_tests_may_use_what_they_like() {
        let mut encoder = package("crates/encoder", &["serde_json"]);
        encoder.dependencies[0].is_development = true;
        assert_eq!(check(&[encoder]), []);
    }
}
