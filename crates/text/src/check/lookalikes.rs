//! Labels that people take for one.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

/// Labels that differ only in the case or width of letters, in white space, or in characters that nobody sees. Each group is
/// sorted.
pub fn lookalikes<'a>(labels: impl IntoIterator<Item = &'a str>) -> Vec<Vec<&'a str>> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for label in labels {
        let group = groups.entry(looks(label)).or_default();
        if !group.contains(&label) {
            group.push(label);
        }
    }
    let mut several: Vec<Vec<&str>> = groups.into_values().filter(|one| one.len() > 1).collect();
    for group in &mut several {
        group.sort_unstable();
    }
    several
}

/// What a reader sees of a label.
fn looks(label: &str) -> String {
    let seen = label.nfkc().filter(|c| !is_invisible(*c));
    let folded: String = seen.collect::<String>().to_lowercase();
    let words: Vec<&str> = folded.split_whitespace().collect();
    words.join(" ")
}

/// Soft hyphen, zero-width characters, marks of direction and of byte order.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}
