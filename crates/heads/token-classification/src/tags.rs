//! Tags such as `B-person`, the entities that a sentence's tags mean, and the schemes that tags are written in.
//!
//! | [`Scheme`] | one token | several tokens | the next entity follows at once |
//! |---|---|---|---|
//! | `Iob1` | `I-x` | `I-x I-x` | … `B-x`, when it is of the same type |
//! | `Iob2` (BIO) | `B-x` | `B-x I-x` | … `B-x` |
//! | `Iobes` | `S-x` | `B-x I-x E-x` | … `B-x` or `S-x` |
//!
//! [`entities`] reads all of them, and what is malformed too, as conlleval and seqeval's default mode do: an `I-` after
//! `O`, or after another type, begins an entity.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// How entities are written as tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Scheme {
    /// `B-` only where two entities of one type touch.
    Iob1,
    /// BIO: every entity begins with `B-`.
    Iob2,
    /// Entities of one token are `S-`, the last token of the others is `E-`.
    Iobes,
}

impl Scheme {
    /// The scheme of a model's label names: IOBES when one starts with `E-` or `S-`, IOB1 when none starts with `B-` but
    /// one with `I-`, else IOB2. `None` when a label is no tag of these schemes, as in part-of-speech tagging.
    pub fn of<S: AsRef<str>>(labels: &[S]) -> Option<Self> {
        let mut seen = [false; 3];
        for label in labels {
            match label.as_ref() {
                "O" => {}
                label => match parse(label)?.0 {
                    'B' => seen[0] = true,
                    'I' => seen[1] = true,
                    'E' | 'S' => seen[2] = true,
                    _ => return None,
                },
            }
        }
        Some(match seen {
            [_, _, true] => Self::Iobes,
            [false, true, false] => Self::Iob1,
            _ => Self::Iob2,
        })
    }
}

/// An entity in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span<'a> {
    /// Its type: `person`.
    pub entity_type: &'a str,
    /// Its first token.
    pub start: usize,
    /// The token after its last.
    pub end: usize,
}

/// A tag that has no place in a scheme of entities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "tag {tag:?} (token {index}) is not `O` and does not start with B-, I-, E-, S-, L- or U-, so it cannot be written in \
     another scheme"
)]
pub struct NotAnEntityTag {
    /// Position in the sentence.
    pub index: usize,
    /// The tag.
    pub tag: String,
}

/// The entities that a sentence's tags mean, as seqeval's `get_entities`: in order, any tags.
pub fn entities<S: AsRef<str>>(tags: &[S]) -> Vec<Span<'_>> {
    spans(tags.iter().map(|tag| split(tag.as_ref())))
}

/// Where entities of [`entities`] do not begin with a tag that begins one: `I-` and `E-` after `O` or another type.
/// In IOB1 that is how most entities begin; in other schemes it is a slip, which is tolerated.
pub fn begun_inside<S: AsRef<str>>(tags: &[S]) -> Vec<usize> {
    let starts = entities(tags).into_iter().map(|span| span.start);
    starts
        .filter(|&start| matches!(split(tags[start].as_ref()).0, 'I' | 'E'))
        .collect()
}

/// Where entities of [`entities`] do not end with a tag that ends one in IOBES: `B-` and `I-` before `O` or another entity.
pub fn unfinished<S: AsRef<str>>(tags: &[S]) -> Vec<usize> {
    let ends = entities(tags).into_iter().map(|span| span.end - 1);
    ends.filter(|&end| matches!(split(tags[end].as_ref()).0, 'B' | 'I'))
        .collect()
}

/// The tags that have no prefix such as `B-` although others have one. Scores do not read them as entities of
/// that name: to seqeval, `ORG` is `O` with something behind it.
pub fn without_prefix<'a>(tags: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut has_prefix = false;
    let mut bare = BTreeSet::new();
    for tag in tags {
        match parse(tag) {
            Some((_, kind)) => has_prefix |= !kind.is_empty(),
            None if tag == "O" => {}
            None => {
                bare.insert(tag);
            }
        }
    }
    match has_prefix {
        true => bare,
        false => BTreeSet::new(),
    }
}

/// The same entities written in another scheme. `L-` and `U-` of BILOU are read as `E-` and `S-`.
///
/// # Errors
///
/// A tag that is no entity tag, as in part-of-speech tagging.
pub fn convert<S: AsRef<str>>(tags: &[S], scheme: Scheme) -> Result<Vec<String>, NotAnEntityTag> {
    let parsed = tags.iter().enumerate().map(|(index, tag)| {
        let tag = tag.as_ref();
        match tag {
            "O" => Ok(('O', "")),
            _ => parse(tag).ok_or_else(|| NotAnEntityTag {
                index,
                tag: tag.to_owned(),
            }),
        }
    });
    let parsed: Vec<(char, &str)> = parsed.collect::<Result<_, _>>()?;
    let mut written = vec!["O".to_owned(); tags.len()];
    let mut previous: Option<Span<'_>> = None;
    for span in spans(
        parsed
            .into_iter()
            .map(|(prefix, kind)| (plain(prefix), kind)),
    ) {
        let touches = previous
            .is_some_and(|one| one.end == span.start && one.entity_type == span.entity_type);
        for (index, tag) in written[span.start..span.end].iter_mut().enumerate() {
            let is_last = span.start + index + 1 == span.end;
            let prefix = match (scheme, index) {
                (Scheme::Iob1, 0) if touches => "B",
                (Scheme::Iob1, _) => "I",
                (Scheme::Iob2, 0) => "B",
                (Scheme::Iob2, _) => "I",
                (Scheme::Iobes, 0) if is_last => "S",
                (Scheme::Iobes, 0) => "B",
                (Scheme::Iobes, _) if is_last => "E",
                (Scheme::Iobes, _) => "I",
            };
            *tag = match span.entity_type {
                "" => prefix.to_owned(),
                kind => format!("{prefix}-{kind}"),
            };
        }
        previous = Some(span);
    }
    Ok(written)
}

/// Prefix and type of an entity tag: `B-person`, or a bare `B` with an empty type; `None` for any other tag.
pub(crate) fn parse(tag: &str) -> Option<(char, &str)> {
    let mut rest = tag.chars();
    let prefix = rest.next()?;
    if !matches!(prefix, 'B' | 'I' | 'E' | 'S' | 'L' | 'U') {
        return None;
    }
    match rest.as_str() {
        "" => Some((prefix, "")),
        rest => rest.strip_prefix('-').map(|kind| (prefix, kind)),
    }
}

/// The prefix with BILOU's letters written as those of IOBES.
pub(crate) fn plain(prefix: char) -> char {
    match prefix {
        'L' => 'E',
        'U' => 'S',
        other => other,
    }
}

/// Prefix and type of any tag, as seqeval splits it.
fn split(tag: &str) -> (char, &str) {
    let mut rest = tag.chars();
    let prefix = rest.next().unwrap_or('O');
    let rest = rest.as_str();
    match rest.split_once('-').map_or(rest, |(_, kind)| kind) {
        "" => (prefix, "_"),
        kind => (prefix, kind),
    }
}

/// seqeval 1.2.2, `metrics/sequence_labeling.py`, `get_entities`.
fn spans<'a>(tags: impl Iterator<Item = (char, &'a str)>) -> Vec<Span<'a>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut previous = ('O', "");
    for (index, tag) in tags.chain([('O', "_")]).enumerate() {
        if ends(previous, tag) {
            found.push(Span {
                entity_type: previous.1,
                start,
                end: index,
            });
        }
        if begins(previous, tag) {
            start = index;
        }
        previous = tag;
    }
    found
}

/// Whether an entity ended between two tags (`end_of_chunk`).
fn ends((before, kind_before): (char, &str), (tag, kind): (char, &str)) -> bool {
    match (before, tag) {
        ('E' | 'S', _) => true,
        ('B' | 'I', 'B' | 'S' | 'O') => true,
        ('O' | '.', _) => false,
        _ => kind_before != kind,
    }
}

/// Whether an entity begins with the second of two tags (`start_of_chunk`).
fn begins((before, kind_before): (char, &str), (tag, kind): (char, &str)) -> bool {
    match (before, tag) {
        (_, 'B' | 'S') => true,
        ('E' | 'S' | 'O', 'E' | 'I') => true,
        (_, 'O' | '.') => false,
        _ => kind_before != kind,
    }
}
