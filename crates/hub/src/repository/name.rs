//! How a user names a model of the hub: `OWNER/NAME`, and `@REVISION` behind it.

use std::fmt;

/// The branch that a name without a revision means.
const DEFAULT_REVISION: &str = "main";
/// The hub's own limit for each part of a name.
const MOST_CHARACTERS: usize = 96;

/// A model repository of the hub, at a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubName {
    repo: String,
    revision: Option<String>,
}

impl HubName {
    /// Reads `OWNER/NAME` or `OWNER/NAME@REVISION`; `None` if the word breaks the hub's rules for names. A revision is a
    /// branch, a tag or a commit.
    pub fn parse(word: &str) -> Option<Self> {
        let (repo, revision) = match word.split_once('@') {
            Some((repo, revision)) => (repo, Some(revision)),
            None => (word, None),
        };
        let (owner, name) = repo.split_once('/')?;
        let is_valid = is_part(owner)
            && is_part(name)
            && !name.ends_with(".git")
            && revision.is_none_or(is_revision);
        is_valid.then(|| Self {
            repo: repo.to_owned(),
            revision: revision.map(str::to_owned),
        })
    }

    /// `OWNER/NAME`
    pub fn repo(&self) -> &str {
        &self.repo
    }

    /// The branch, tag or commit; `main` if the name has none.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or(DEFAULT_REVISION)
    }
}

impl fmt::Display for HubName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.repo)?;
        match &self.revision {
            Some(revision) => write!(formatter, "@{revision}"),
            None => Ok(()),
        }
    }
}

/// The rules of huggingface_hub's `validate_repo_id`.
fn is_part(part: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_alphanumeric() || c == '_';
    part.len() <= MOST_CHARACTERS
        && part.starts_with(is_edge)
        && part.ends_with(is_edge)
        && part.chars().all(|c| is_edge(c) || c == '-' || c == '.')
        && !part.contains("--")
        && !part.contains("..")
}

/// What is safe both in an address and as a path below `refs`.
fn is_revision(revision: &str) -> bool {
    let is_step = |step: &str| {
        !step.is_empty()
            && !step.starts_with('.')
            && step
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c))
    };
    revision.split('/').all(is_step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_hub_are_read() {
        let plain = HubName::parse("dslim/bert-base-NER").unwrap();
        assert_eq!(
            (plain.repo(), plain.revision()),
            ("dslim/bert-base-NER", "main")
        );
        let pinned = HubName::parse("_o/a.b_c@refs/pr/3").unwrap();
        assert_eq!(
            (pinned.repo(), pinned.revision()),
            ("_o/a.b_c", "refs/pr/3")
        );
        assert_eq!(pinned.to_string(), "_o/a.b_c@refs/pr/3");
    }

    #[test]
    fn what_only_a_path_can_be_is_no_name() {
        for word in [
            "name",
            "a/b/c",
            "/a/b",
            "./a",
            "a/",
            "../a",
            "a/..",
            "a/-b",
            "a/b--c",
            "a/b.git",
            "a/b@",
            "a/b@../c",
            "a/b@x//y",
            "a/b@.lock",
            "a/b c",
            "a\\b/c",
            "a/b@c?d",
        ] {
            assert_eq!(HubName::parse(word), None, "{word}");
        }
    }
}
