//! Sentences of tagged words: CoNLL's columns, and JSON Lines.

use std::path::Path;

use serde::Deserialize;

use super::source::{numbered_lines, read_utf8};
use super::{Format, ReadError};
use crate::{TaggedDataset, TaggedSentence};

/// Begins a document in CoNLL-2003's files; no token.
const DOCUMENT_START: &str = "-DOCSTART-";

/// Which columns of a CoNLL file hold what, counted from 0. The default is the first for the word, the last for the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TagColumns {
    /// The word.
    pub word: usize,
    /// The tag; `None`: the last column.
    pub tag: Option<usize>,
}

impl TaggedDataset {
    /// Reads a UTF-8 file: JSON Lines when its extension is `.jsonl`, `.ndjson` or `.json`, else CoNLL. A byte-order mark
    /// and CRLF line ends are tolerated.
    ///
    /// **CoNLL**: a word a line with its tag, two columns or more. Where the first word's line has a tab, columns are
    /// separated by tabs alone (so a word may hold a space), else by runs of white space. A line of nothing but white space
    /// ends a sentence, as does one whose word is `-DOCSTART-`, which is left out.
    ///
    /// **JSON Lines**: an object a line with `tokens` and `ner_tags` (or `tags`, `labels`), lists of strings of one length.
    ///
    /// # Errors
    /// A file that cannot be read, holds no sentence, or is not UTF-8; a line without a tag or without a word, or with
    /// another number of columns than the first; broken JSON, or lists of unequal length. The message has file and line.
    pub fn read(path: &Path, columns: TagColumns) -> Result<Self, ReadError> {
        let content = read_utf8(path)?;
        let sentences = match Format::from_path(path) {
            Ok(Format::JsonLines) => read_json(path, &content)?,
            _ => read_conll(path, &content, columns)?,
        };
        if sentences.is_empty() {
            return Err(ReadError::Empty {
                path: path.to_owned(),
                header: false,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            sentences,
        })
    }
}

fn read_conll(
    path: &Path,
    content: &str,
    columns: TagColumns,
) -> Result<Vec<TaggedSentence>, ReadError> {
    let mut sentences = Vec::new();
    let mut sentence = TaggedSentence::empty();
    let mut layout = None;
    for (index, text) in content.lines().enumerate() {
        let is_document_start = text.split_whitespace().next() == Some(DOCUMENT_START);
        if text.trim().is_empty() || is_document_start {
            sentence.finish(&mut sentences);
            continue;
        }
        let line = Line {
            path,
            number: index + 1,
        };
        let layout = *layout.get_or_insert_with(|| Layout::of(text, columns));
        let (word, tag) = line.word_and_tag(text, layout)?;
        sentence.words.push(word.to_owned());
        sentence.tags.push(tag.to_owned());
        sentence.lines.push(line.number);
    }
    sentence.finish(&mut sentences);
    Ok(sentences)
}

impl TaggedSentence {
    fn empty() -> Self {
        Self {
            words: Vec::new(),
            tags: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Moves a sentence with words to the others.
    fn finish(&mut self, sentences: &mut Vec<Self>) {
        if !self.words.is_empty() {
            sentences.push(std::mem::replace(self, Self::empty()));
        }
    }
}

/// How the lines of a file are laid out, which its first word settles.
#[derive(Clone, Copy)]
struct Layout {
    has_tabs: bool,
    columns: usize,
    word: usize,
    tag: usize,
}

impl Layout {
    fn of(text: &str, wanted: TagColumns) -> Self {
        let has_tabs = text.contains('\t');
        let columns = cells(text, has_tabs).len();
        Self {
            has_tabs,
            columns,
            word: wanted.word,
            tag: wanted.tag.unwrap_or(columns.saturating_sub(1).max(1)),
        }
    }
}

fn cells(text: &str, has_tabs: bool) -> Vec<&str> {
    if has_tabs {
        text.split('\t').collect()
    } else {
        text.split_whitespace().collect()
    }
}

/// Where a word stands, for messages.
struct Line<'a> {
    path: &'a Path,
    number: usize,
}

impl Line<'_> {
    fn word_and_tag<'t>(
        &self,
        text: &'t str,
        layout: Layout,
    ) -> Result<(&'t str, &'t str), ReadError> {
        let cells = cells(text, layout.has_tabs);
        let path = || self.path.to_owned();
        // White space beyond ASCII may be a word of its own; a space or nothing is none.
        let word = cells.get(layout.word).copied();
        let word = word.filter(|word| !word.trim_ascii().is_empty());
        let word = word.ok_or_else(|| ReadError::MissingWord {
            path: path(),
            line: self.number,
            column: layout.word,
        })?;
        let tag = cells.get(layout.tag).map(|tag| tag.trim());
        let tag = tag.filter(|tag| !tag.is_empty());
        let tag = tag.ok_or_else(|| ReadError::MissingTag {
            path: path(),
            line: self.number,
            word: word.to_owned(),
            column: layout.tag,
            separator: if layout.has_tabs { "tabs" } else { "spaces" },
        })?;
        if cells.len() != layout.columns {
            return Err(ReadError::WordColumns {
                path: path(),
                line: self.number,
                expected: layout.columns,
                found: cells.len(),
            });
        }
        Ok((word, tag))
    }
}

#[derive(Deserialize)]
struct TaggedObject {
    tokens: Vec<String>,
    #[serde(alias = "tags", alias = "labels")]
    ner_tags: Vec<String>,
}

fn read_json(path: &Path, content: &str) -> Result<Vec<TaggedSentence>, ReadError> {
    numbered_lines(content)
        .map(|(line, text)| {
            let object: TaggedObject =
                serde_json::from_str(text).map_err(|source| ReadError::TaggedJson {
                    path: path.to_owned(),
                    line,
                    source,
                })?;
            let TaggedObject { tokens, ner_tags } = object;
            if tokens.len() != ner_tags.len() {
                return Err(ReadError::TagCount {
                    path: path.to_owned(),
                    line,
                    words: tokens.len(),
                    tags: ner_tags.len(),
                });
            }
            if let Some(index) = ner_tags.iter().position(|tag| tag.trim().is_empty()) {
                return Err(ReadError::EmptyTag {
                    path: path.to_owned(),
                    line,
                    index,
                });
            }
            Ok(TaggedSentence {
                lines: vec![line; tokens.len()],
                words: tokens,
                tags: ner_tags,
            })
        })
        .collect()
}
