//! Links and anchors between the pages of the repository, the paths that they name, and the book's list of its pages.

use std::collections::{BTreeMap, BTreeSet};

use super::page::{Link, Page};
use crate::validate::Violation;
use crate::workspace::TextFile;

/// The folder of the book's pages.
const BOOK: &str = "docs/src/";
/// The book's list of its pages.
const SUMMARY: &str = "docs/src/SUMMARY.md";

/// Checks every Markdown page. `exists` tells of a path relative to the root whether a file or a folder is there.
pub(super) fn check(files: &[TextFile], exists: &dyn Fn(&str) -> bool) -> Vec<Violation> {
    let pages: BTreeMap<&str, Page> = files
        .iter()
        .filter(|file| file.path.ends_with(".md"))
        .map(|file| (file.path.as_str(), Page::parse(&file.text)))
        .collect();
    let checker = Checker {
        pages: &pages,
        exists,
    };
    pages
        .iter()
        .flat_map(|(path, page)| checker.check_page(path, page))
        .chain(check_summary(&pages))
        .collect()
}

struct Checker<'a> {
    pages: &'a BTreeMap<&'a str, Page>,
    exists: &'a dyn Fn(&str) -> bool,
}

impl Checker<'_> {
    fn check_page(&self, path: &str, page: &Page) -> Vec<Violation> {
        let mut violations = self.check_links(path, path, page);
        let missing = page
            .code_paths
            .iter()
            .filter(|named| !(self.exists)(named.destination.trim_end_matches('/')));
        violations.extend(missing.map(|named| violation(path, named, "is not there")));
        for include in &page.includes {
            let target = resolve(path, &include.destination);
            match target.as_deref() {
                Some(target) if (self.exists)(target) => {
                    if let Some(included) = self.pages.get(target) {
                        violations.extend(self.check_links(path, target, included));
                    }
                }
                _ => violations.push(violation(
                    path,
                    include,
                    "includes a file that is not there",
                )),
            }
        }
        violations
    }

    /// Checks the links that are written in `source` and read in `path`: the page itself, or one that includes it.
    fn check_links(&self, path: &str, source: &str, page: &Page) -> Vec<Violation> {
        page.links
            .iter()
            .filter_map(|link| {
                let problem = self.problem(path, source, &link.destination)?;
                Some(violation(source, link, &problem))
            })
            .collect()
    }

    fn problem(&self, path: &str, source: &str, destination: &str) -> Option<String> {
        let (file, anchor) = match destination.split_once('#') {
            Some((file, anchor)) => (file, Some(anchor)),
            None => (destination, None),
        };
        if file.is_empty() && path == SUMMARY {
            // A chapter that is not written yet.
            return None;
        }
        let target = match file {
            "" => source.to_owned(),
            file => match resolve(path, file) {
                Some(target) => target,
                None => return Some("leaves the repository".to_owned()),
            },
        };
        if !(self.exists)(&target) {
            return Some(format!("leads to {target}, which is not there"));
        }
        if path.starts_with(BOOK) && !file.is_empty() && !target.starts_with(BOOK) {
            return Some(format!(
                "leads to {target}, which is not in the book; write the path in code font"
            ));
        }
        let anchor = anchor?;
        let has_anchor = self
            .pages
            .get(target.as_str())
            .is_some_and(|page| page.anchors.contains(anchor));
        (!has_anchor).then(|| format!("leads to #{anchor}, which {target} does not have"))
    }
}

/// Every page of the book is listed, or mdBook would leave it out without a word.
fn check_summary(pages: &BTreeMap<&str, Page>) -> Vec<Violation> {
    let listed: BTreeSet<String> = pages
        .get(SUMMARY)
        .iter()
        .flat_map(|summary| &summary.links)
        .filter_map(|link| resolve(SUMMARY, &link.destination))
        .collect();
    pages
        .keys()
        .filter(|path| path.starts_with(BOOK) && **path != SUMMARY && !listed.contains(**path))
        .map(|path| Violation::new(*path, format!("is not listed in {SUMMARY}")))
        .collect()
}

fn violation(path: &str, link: &Link, problem: &str) -> Violation {
    let message = format!("({}) {problem}", link.destination);
    Violation::at_line(path, link.line, message)
}

/// The path that a link in `page` leads to, relative to the root; none where it leaves the repository.
fn resolve(page: &str, file: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<TextFile> = files
            .iter()
            .map(|(path, text)| TextFile {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        let exists =
            |path: &str| path == "crates/encoder" || files.iter().any(|file| file.path == path);
        let found = check(&files, &exists);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_to_files_folders_and_anchors_pass() {
        let found = messages(&[
            (
                "README.md",
                "# Top\n[a](docs/src/a.md#one-two) [b](#top) [c](crates/encoder)",
            ),
            ("docs/src/SUMMARY.md", "- [A](a.md)\n- [Later]()"),
            ("docs/src/a.md", "# One two\n[b](./a.md)"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_missing_file_a_missing_anchor_and_a_way_out_fail() {
        let found = messages(&[("README.md", "[a](b.md)\n[c](#d)\n[e](../f)")]);
        assert_eq!(
            found,
            [
                "README.md:1: (b.md) leads to b.md, which is not there",
                "README.md:2: (#d) leads to #d, which README.md does not have",
                "README.md:3: (../f) leaves the repository",
            ]
        );
    }

    #[test]
    fn a_path_in_code_font_that_is_not_there_fails() {
        let found = messages(&[("A.md", "`crates/encoder` `crates/gone.rs`")]);
        assert_eq!(found, ["A.md:1: (crates/gone.rs) is not there"]);
    }

    #[test]
    fn a_page_that_the_summary_does_not_list_fails() {
        let found = messages(&[("docs/src/SUMMARY.md", ""), ("docs/src/a.md", "")]);
        assert_eq!(
            found,
            ["docs/src/a.md: is not listed in docs/src/SUMMARY.md"]
        );
    }

    #[test]
    fn a_link_out_of_the_book_fails_because_the_built_page_has_none() {
        let found = messages(&[
            ("README.md", ""),
            ("docs/src/SUMMARY.md", "[A](a.md)"),
            ("docs/src/a.md", "[r](../../README.md)"),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("is not in the book"));
    }

    #[test]
    fn an_included_page_is_checked_where_it_is_read() {
        let found = messages(&[
            ("A.md", "# Here\n[own](#here)\n[x](docs/src/a.md)"),
            ("docs/src/SUMMARY.md", "[A](a.md)"),
            (
                "docs/src/a.md",
                "{{#include ../../A.md}}\n{{#include b.md}}",
            ),
        ]);
        assert_eq!(
            found,
            [
                "A.md:3: (docs/src/a.md) leads to docs/src/docs/src/a.md, which is not there",
                "docs/src/a.md:2: (b.md) includes a file that is not there",
            ]
        );
    }
}
