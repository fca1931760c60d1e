use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{ModelCard, whole_file};

/// What is known about the model that training starts from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Its name on the hub, `owner/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_model: Option<String>,
    /// Its licence by the hub's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// The languages it was trained on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
}

impl Provenance {
    /// What a model's own card says. A card that cannot be read says nothing.
    pub fn of_card(dir: &Path) -> Self {
        let text = whole_file::read(&dir.join(ModelCard::FILE));
        let text = text.ok().flatten().unwrap_or_default();
        let header = header(&text);
        let first = |key| values(header, key).into_iter().next();
        Self {
            base_model: first("base_model").filter(|name| name.contains('/')),
            license: first("license"),
            languages: values(header, "language"),
        }
    }

    /// A licence by the name that the hub has for it, where the words are the name of one: `Apache-2.0` is, a sentence about
    /// terms of use is not.
    pub fn hub_license(words: &str) -> Option<String> {
        let name = words.to_lowercase().replace(' ', "-");
        let is_name = name.starts_with("apache-")
            || name.starts_with("bsd-")
            || name.starts_with("cc-by")
            || ["mit", "cc0-1.0", "openrail", "gpl-3.0", "unlicense"].contains(&name.as_str());
        is_name.then_some(name)
    }
}

/// The YAML between the lines of dashes at the top.
fn header(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}');
    let inner = text.strip_prefix("---").and_then(|rest| {
        let rest = rest.strip_prefix('\r').unwrap_or(rest).strip_prefix('\n')?;
        let end = rest.find("\n---")?;
        Some(&rest[..=end])
    });
    inner.unwrap_or_default()
}

/// The plain values of a key at the top level: one, `[a, b]`, or a list of lines that begin with a dash.
fn values(header: &str, key: &str) -> Vec<String> {
    let mut lines = header.lines();
    let found = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let Some(value) = found.map(str::trim) else {
        return Vec::new();
    };
    let parts: Vec<&str> = match value.strip_prefix('[') {
        Some(list) => list.trim_end_matches(']').split(',').collect(),
        None if value.is_empty() => lines
            .map_while(|line| line.trim().strip_prefix("- "))
            .collect(),
        None => vec![value],
    };
    let plain = parts
        .into_iter()
        .map(|part| part.trim().trim_matches(['"', '\'']));
    plain
        .filter(|part| !part.is_empty() && part.chars().all(is_of_a_name))
        .map(str::to_owned)
        .collect()
}

fn is_of_a_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_./".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(card: &str) -> Provenance {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("README.md"), card).unwrap();
        Provenance::of_card(root.path())
    }

    #[test]
    fn a_card_tells_licence_languages_and_base() {
        let card = "---\nlanguage:\n- en\n- de\nlicense: \"apache-2.0\"\nbase_model: owner/name\ntags: [x]\n---\n# Title";
        let found = of(card);
        assert_eq!(found.base_model.as_deref(), Some("owner/name"));
        assert_eq!(found.license.as_deref(), Some("apache-2.0"));
        assert_eq!(found.languages, ["en", "de"]);
        assert_eq!(
            of("---\r\nlanguage: [en, fr]\r\n---\r\n").languages,
            ["en", "fr"]
        );
    }

    #[test]
    fn what_is_odd_is_not_known() {
        for card in [
            "",
            "# Title",
            "---\nlicense: |\n  any\n---\n",
            "---\nlicense: mit",
        ] {
            assert_eq!(of(card), Provenance::default(), "{card:?}");
        }
        assert_eq!(
            Provenance::hub_license("Apache-2.0").as_deref(),
            Some("apache-2.0")
        );
        assert_eq!(
            Provenance::hub_license("CC BY 4.0").as_deref(),
            Some("cc-by-4.0")
        );
        assert_eq!(
            Provenance::hub_license("research use; no explicit open licence"),
            None
        );
    }
}
