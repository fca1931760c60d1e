//! Every crate opens with docs that also say what it does not do.

use std::sync::LazyLock;

use regex::Regex;

use super::Violation;
use crate::workspace::{Package, TextFile};

static LIMIT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\b(does|do)\s+\*{0,2}not\b").expect("a constant pattern"));

pub(super) fn check(packages: &[Package], files: &[TextFile]) -> Vec<Violation> {
    packages
        .iter()
        .filter_map(|package| {
            let Some(path) = &package.crate_root else {
                return Some(Violation::new(
                    &package.name,
                    "has neither a library nor a binary",
                ));
            };
            let file = files.iter().find(|file| &file.path == path)?;
            check_docs(path, &file.text)
        })
        .collect()
}

fn check_docs(path: &str, text: &str) -> Option<Violation> {
    let docs: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .collect();
    if docs.is_empty() {
        Some(Violation::new(
            path,
            "does not begin with crate docs (`//!`)",
        ))
    } else if !LIMIT.is_match(&docs.join(" ")) {
        Some(Violation::new(
            path,
            "its crate docs do not say what the crate does not do",
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docs_that_name_a_limit_pass() {
        let text = "//! Reads.\n//!\n//! This crate does\n//! *not* write.\npub mod a;";
        assert_eq!(check_docs("lib.rs", text), None);
    }

    #[test]
    fn missing_docs_and_docs_without_a_limit_fail() {
        assert!(check_docs("lib.rs", "pub mod a;").is_some());
        assert!(check_docs("lib.rs", "//! Reads.\n// It does not write.").is_some());
    }
}
