//! What the link check needs of a Markdown page: its links with their lines, its anchors, the files that it includes and the
//! paths that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use regex::Regex;

/// mdBook's directive that puts a file in the place of the line: `{{#include PATH}}`, or `{{#include PATH:LINES}}`.
static INCLUDE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{\{#include\s+([^}:\s]+)[^}]*\}\}").expect("a constant pattern")
});

/// A path of this repository in code font, such as `xtask/src/main.rs`.
static CODE_PATH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(crates|docs|examples|tests|xtask)/[\w./-]+$").expect("a constant pattern")
});

/// A page as the link check sees it.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The ids of its headings, as GitHub and mdBook make them.
    pub(super) anchors: BTreeSet<String>,
    pub(super) links: Vec<Link>,
    pub(super) includes: Vec<Link>,
    /// Paths in code font, which start at the root.
    pub(super) code_paths: Vec<Link>,
}

/// A relative path with an optional `#anchor`, or the path of an included file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) destination: String,
    /// Counted from 1.
    pub(super) line: usize,
}

impl Page {
    /// Reads a page. Links to other hosts are left out.
    pub(super) fn parse(text: &str) -> Self {
        let line_of = |offset: usize| text[..offset].matches('\n').count() + 1;
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        let mut seen = BTreeMap::new();
        let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. })
                    if !is_external(&dest_url) =>
                {
                    page.links.push(Link {
                        destination: dest_url.into_string(),
                        line: line_of(range.start),
                    });
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(words) | Event::Code(words) => {
                    if text[range.clone()].starts_with('`') && CODE_PATH.is_match(&words) {
                        page.code_paths.push(Link {
                            destination: words.to_string(),
                            line: line_of(range.start),
                        });
                    }
                    if let Some(heading) = &mut heading {
                        heading.push_str(&words);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    if let Some(heading) = heading.take() {
                        page.anchors.insert(unique(anchor(&heading), &mut seen));
                    }
                }
                _ => {}
            }
        }
        page.includes = INCLUDE
            .captures_iter(text)
            .map(|found| Link {
                destination: found[1].to_owned(),
                line: line_of(found.get(0).map_or(0, |whole| whole.start())),
            })
            .collect();
        page
    }
}

fn is_external(destination: &str) -> bool {
    ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| destination.starts_with(scheme))
}

/// The id of a heading: lower case, spaces as hyphens, no punctuation.
fn anchor(heading: &str) -> String {
    heading
        .trim()
        .chars()
        .filter_map(|character| match character {
            '-' | '_' => Some(character),
            _ if character.is_alphanumeric() => Some(character.to_ascii_lowercase()),
            _ if character.is_whitespace() => Some('-'),
            _ => None,
        })
        .collect()
}

/// The second heading of the same words gets `-1` behind its id, the third `-2`.
fn unique(anchor: String, seen: &mut BTreeMap<String, usize>) -> String {
    let count = seen.entry(anchor.clone()).or_insert(0);
    *count += 1;
    match *count {
        1 => anchor,
        count => format!("{anchor}-{}", count - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_with_their_lines_and_code_is_none() {
        let page = Page::parse("a\n\n[x](a.md#b) `[y](c.md)`\n\n| t |\n|---|\n| [z](d) |\n");
        let found: Vec<_> = page
            .links
            .iter()
            .map(|link| (link.destination.as_str(), link.line))
            .collect();
        assert_eq!(found, [("a.md#b", 3), ("d", 7)]);
    }

    #[test]
    fn links_to_other_hosts_are_left_out() {
        assert!(Page::parse("[x](https://example.org/a)").links.is_empty());
    }

    #[test]
    fn anchors_are_made_as_github_and_mdbook_make_them() {
        let page = Page::parse("# The `--device` words, again!\n\n## Twice\n\n## Twice\n");
        let anchors: Vec<_> = page.anchors.iter().map(String::as_str).collect();
        assert_eq!(anchors, ["the---device-words-again", "twice", "twice-1"]);
    }

    #[test]
    fn paths_in_code_font_are_found_and_other_code_is_none() {
        let page =
            Page::parse("`crates/encoder` `crates/a.rs` `cargo xtask/x` `crates/*` crates/b\n");
        let found: Vec<_> = page
            .code_paths
            .iter()
            .map(|path| path.destination.as_str())
            .collect();
        assert_eq!(found, ["crates/encoder", "crates/a.rs"]);
    }

    #[test]
    fn includes_are_found_in_code_too() {
        let page = Page::parse("```rust\n{{#include ../a.rs:2:9}}\n```\n");
        assert_eq!(page.includes[0].destination, "../a.rs");
        assert_eq!(page.includes[0].line, 2);
    }
}
