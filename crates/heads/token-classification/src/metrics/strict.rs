//! seqeval's strict mode: entities that are well-formed in a scheme, and no others.

use super::MetricsError;
use crate::tags::{Scheme, Span};

/// Prefix and type.
type Tag<'a> = (char, &'a str);

/// The entities that are well-formed in a scheme, in order (seqeval 1.2.2, `scheme.py`, `Tokens.entities`). Other tags
/// mean nothing.
///
/// # Errors
///
/// A tag whose first letter the scheme does not have.
pub fn strict_entities<S: AsRef<str>>(
    tags: &[S],
    scheme: Scheme,
) -> Result<Vec<Span<'_>>, MetricsError> {
    let read = tags.iter().enumerate().map(|(index, tag)| {
        let tag = tag.as_ref();
        split(tag)
            .filter(|&(prefix, _)| scheme.has(prefix))
            .ok_or_else(|| MetricsError::NotOfScheme {
                index,
                tag: tag.to_owned(),
                scheme,
            })
    });
    let mut read: Vec<Tag<'_>> = read.collect::<Result<_, _>>()?;
    let outside = ('O', "_");
    read.push(outside);
    let mut found = Vec::new();
    let mut start = 0;
    let mut before = outside;
    while start < read.len() {
        let tag = read[start];
        let mut end = start + 1;
        if scheme.starts(before, tag) {
            // The sentence ends with an `O` of ours, which starts and continues nothing, so there is a tag at `end`.
            while scheme.continues(read[end - 1], read[end]) {
                end += 1;
            }
            if scheme.ends(read[end - 1], read[end]) {
                found.push(Span {
                    entity_type: tag.1,
                    start,
                    end,
                });
            }
        }
        before = read[end - 1];
        start = end;
    }
    Ok(found)
}

/// seqeval takes the hyphens off both ends of what follows the first letter.
fn split(tag: &str) -> Option<Tag<'_>> {
    let mut rest = tag.chars();
    let prefix = rest.next()?;
    match rest.as_str().trim_matches('-') {
        "" => Some((prefix, "_")),
        kind => Some((prefix, kind)),
    }
}

impl Scheme {
    fn has(self, prefix: char) -> bool {
        match self {
            Self::Iob1 | Self::Iob2 => matches!(prefix, 'I' | 'O' | 'B'),
            Self::Iobes => matches!(prefix, 'I' | 'O' | 'B' | 'E' | 'S'),
        }
    }

    fn starts(self, (before, kind_before): Tag<'_>, (tag, kind): Tag<'_>) -> bool {
        match self {
            Self::Iob1 => match (before, tag) {
                ('O' | 'B', 'I') => true,
                ('I', 'I') => kind_before != kind,
                ('I' | 'B', 'B') => kind_before == kind,
                _ => false,
            },
            Self::Iob2 => tag == 'B',
            Self::Iobes => matches!(tag, 'B' | 'S'),
        }
    }

    fn continues(self, (before, kind_before): Tag<'_>, (tag, kind): Tag<'_>) -> bool {
        let inside = match self {
            Self::Iob1 | Self::Iob2 => tag == 'I',
            Self::Iobes => matches!(tag, 'I' | 'E'),
        };
        inside && matches!(before, 'B' | 'I') && kind_before == kind
    }

    fn ends(self, (before, kind_before): Tag<'_>, (tag, kind): Tag<'_>) -> bool {
        match self {
            Self::Iob1 | Self::Iob2 => match (before, tag) {
                ('I' | 'B', 'I') => kind_before != kind,
                ('I' | 'B', 'O') | ('I', 'B') => true,
                ('B', 'B') => self == Self::Iob2 || kind_before == kind,
                _ => false,
            },
            Self::Iobes => matches!(before, 'E' | 'S'),
        }
    }
}
