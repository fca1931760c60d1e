//! CoNLL's columns: a word a line with its tag.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::tagged::FileSentences;
use super::{Column, ColumnRole, ReadError, ReadNote, TagColumns, normalized};
use crate::TaggedSentence;

/// Begins a document in CoNLL-2003's files; no token.
const DOCUMENT_START: &str = "-DOCSTART-";
/// Begins a comment where the other lines have tags.
const COMMENT: &str = "# ";
/// What separates columns where no tab does: no other white space, which a word may hold.
const BLANKS: [char; 2] = [' ', '\t'];

pub(super) fn read(
    path: &Path,
    content: &str,
    columns: &TagColumns,
) -> Result<FileSentences, ReadError> {
    let columns = Indices::of(path, columns)?;
    let layout = words_of(content)
        .find(|text| !may_be_comment(text))
        .or_else(|| words_of(content).next())
        .map(|text| Layout::of(text, columns));
    let Some(layout) = layout else {
        return Ok(FileSentences::default());
    };
    let tags = tags_of(content, layout);
    let file: Arc<Path> = Arc::from(path);
    let mut found = FileSentences::default();
    let mut sentence = TaggedSentence::empty(&file);
    let mut comments = Vec::new();
    for (index, text) in content.lines().enumerate() {
        if ends_sentence(text) {
            finish(&mut sentence, &mut found.sentences);
            continue;
        }
        let line = Line {
            path,
            number: index + 1,
        };
        if may_be_comment(text) && !layout.holds_tag(text, &tags, sentence.words.is_empty()) {
            comments.push(line.number);
            continue;
        }
        let (word, tag) = line.word_and_tag(text, layout)?;
        sentence.words.push(word.to_owned());
        sentence.tags.push(normalized(tag));
        sentence.lines.push(line.number);
    }
    finish(&mut sentence, &mut found.sentences);
    let note = comments.first().map(|&first| ReadNote::Comments {
        path: path.to_owned(),
        lines: comments.len(),
        first,
    });
    found.notes.extend(note);
    Ok(found)
}

/// Moves a sentence with words to the others.
fn finish(sentence: &mut TaggedSentence, sentences: &mut Vec<TaggedSentence>) {
    if !sentence.words.is_empty() {
        let next = TaggedSentence::empty(&sentence.file);
        sentences.push(std::mem::replace(sentence, next));
    }
}

fn ends_sentence(text: &str) -> bool {
    text.trim().is_empty() || cells(text, false).first() == Some(&DOCUMENT_START)
}

/// The lines that hold a word, or a comment.
fn words_of(content: &str) -> impl Iterator<Item = &str> {
    content.lines().filter(|text| !ends_sentence(text))
}

fn may_be_comment(text: &str) -> bool {
    text.starts_with(COMMENT) || text.trim_end() == COMMENT.trim_end()
}

/// The tags of all lines that can be no comments.
fn tags_of(content: &str, layout: Layout) -> HashSet<&str> {
    let words = words_of(content).filter(|text| !may_be_comment(text));
    words.filter_map(|text| layout.tag_of(text)).collect()
}

/// The columns by their numbers.
#[derive(Clone, Copy)]
struct Indices {
    word: usize,
    tag: Option<usize>,
}

impl Indices {
    fn of(path: &Path, columns: &TagColumns) -> Result<Self, ReadError> {
        let index = |role, column: &Option<Column>| match column {
            Some(Column::Name(name)) => Err(ReadError::NameWithoutHeader {
                path: path.to_owned(),
                role,
                name: name.clone(),
            }),
            Some(Column::Index(index)) => Ok(Some(*index)),
            None => Ok(None),
        };
        Ok(Self {
            word: index(ColumnRole::Tokens, &columns.word)?.unwrap_or(0),
            tag: index(ColumnRole::Tags, &columns.tag)?,
        })
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
    fn of(text: &str, wanted: Indices) -> Self {
        let has_tabs = text.contains('\t');
        let columns = cells(text, has_tabs).len();
        Self {
            has_tabs,
            columns,
            word: wanted.word,
            tag: wanted.tag.unwrap_or(columns.saturating_sub(1).max(1)),
        }
    }

    fn tag_of(self, text: &str) -> Option<&str> {
        let cells = cells(text, self.has_tabs);
        let tag = cells.get(self.tag).map(|tag| tag.trim());
        tag.filter(|_| cells.len() == self.columns)
    }

    /// Whether a line that begins as a comment is a word with its tag. Where a sentence begins, which is where comments
    /// stand, it has to be a tag that other lines have, too.
    fn holds_tag(self, text: &str, tags: &HashSet<&str>, begins_sentence: bool) -> bool {
        let tag = self.tag_of(text).filter(|tag| !tag.is_empty());
        tag.is_some_and(|tag| tags.contains(tag) || !begins_sentence || tags.is_empty())
    }
}

fn cells(text: &str, has_tabs: bool) -> Vec<&str> {
    if has_tabs {
        text.split('\t').collect()
    } else {
        let cells = text.split(BLANKS);
        cells.filter(|cell| !cell.is_empty()).collect()
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
