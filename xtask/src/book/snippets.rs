//! Every Rust snippet of README and of the book is compiled.

use crate::validate::Violation;
use crate::workspace::TextFile;

/// The file that hands the pages to rustdoc.
const SNIPPETS: &str = "crates/examples/src/snippets.rs";

pub(super) fn check(files: &[TextFile]) -> Vec<Violation> {
    let compiled = files
        .iter()
        .find(|file| file.path == SNIPPETS)
        .map_or("", |file| file.text.as_str());
    files
        .iter()
        .filter(|file| is_read(&file.path) && has_snippet(&file.text))
        .filter(|file| !compiled.contains(&format!("\"../../../{}\"", file.path)))
        .map(|file| {
            let message = format!("has Rust snippets that {SNIPPETS} does not compile");
            Violation::new(&file.path, message)
        })
        .collect()
}

fn is_read(path: &str) -> bool {
    path == "README.md" || (path.starts_with("docs/src/") && path.ends_with(".md"))
}

fn has_snippet(text: &str) -> bool {
    text.lines()
        .any(|line| line.starts_with("```rust") && !line.contains("ignore"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_page_with_rust_that_nobody_compiles_fails() {
        let list = file(SNIPPETS, "Readme = \"../../../README.md\";");
        let readme = file("README.md", "```rust,no_run\n```");
        let page = file("docs/src/a.md", "```rust\n```");
        let plain = file("docs/src/b.md", "```sh\n```\n```rust,ignore\n```");
        let found = check(&[list, readme, page, plain]);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("docs/src/a.md: "));
    }
}
