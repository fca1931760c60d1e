//! The text of the repository holds for every machine: no absolute path of one, no host of a package registry.

use std::sync::LazyLock;

use regex::Regex;

use super::Violation;
use crate::workspace::TextFile;

/// An absolute path below a folder that differs from machine to machine.
static MACHINE_PATH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(^|[\s"'`(=:])/(work|root|home|Users|tmp)/|\b[A-Z]:\\Users\\"#)
        .expect("a constant pattern")
});

/// Registries are reached through their clients, which know their hosts and let a user replace them.
static REGISTRY_HOST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(crates\.io|docs\.rs|pypi\.org|pythonhosted\.org)\b")
        .expect("a constant pattern")
});

pub(super) fn check(files: &[TextFile]) -> Vec<Violation> {
    files.iter().flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> impl Iterator<Item = Violation> {
    file.text.lines().enumerate().filter_map(|(index, line)| {
        let message = if MACHINE_PATH.is_match(line) {
            "holds an absolute path of one machine"
        } else if REGISTRY_HOST.is_match(line) {
            "names the host of a package registry; use its client"
        } else {
            return None;
        };
        Some(Violation::at_line(&file.path, index + 1, message))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::testing::file;

    fn count(text: &str) -> usize {
        check(&[file("README.md", text)]).len()
    }

    // Put together from parts: this file is checked too.
    #[test]
    fn paths_of_one_machine_fail() {
        for folder in ["home/ann", "root/x", "tmp/x", "Users/ann"] {
            assert_eq!(count(&format!("see \"/{folder}/model\"")), 1, "{folder}");
        }
        assert_eq!(count(&format!(r"C:\{}\ann", "Users")), 1);
    }

    #[test]
    fn registry_hosts_fail() {
        for (name, domain) in [("crates", "io"), ("docs", "rs"), ("pypi", "org")] {
            assert_eq!(count(&format!("https://{name}.{domain}/x")), 1, "{name}");
        }
    }

    #[test]
    fn relative_paths_and_other_hosts_pass() {
        assert_eq!(
            count("../shared/datasets target/tmp/x https://example.org/home/"),
            0
        );
    }
}
