//! Sentences of tagged words: CoNLL's columns, and objects of JSON Lines, Parquet or Arrow.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::rows::{Object, kind_of};
use super::settle::KnownNames;
use super::source::numbered_lines;
use super::{Column, ColumnRole, Format, ReadError, ReadNote, Source};
use super::{conll, features, known_names, name_of, same_names, source, together};
use crate::{TaggedDataset, TaggedSentence};

use serde_json::Value;

/// Usual names of the column of words.
const TOKEN_NAMES: [&str; 2] = ["tokens", "words"];
/// Usual names of the column of tags.
const TAG_NAMES: [&str; 3] = ["ner_tags", "tags", "labels"];

/// Which columns hold what. The default is, in CoNLL, the first for the word and the last for the tag; where columns have
/// names, the one with a usual name: `tokens` or `words`, and `ner_tags`, `tags` or `labels`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagColumns {
    /// The word, or the list of words.
    pub word: Option<Column>,
    /// The tag, or the list of tags.
    pub tag: Option<Column>,
    /// The names of the tags in the order of their ids, for data that has the ids. `None`: as the file's metadata says.
    pub label_names: Option<Vec<String>>,
}

/// The sentences of one file.
#[derive(Default)]
pub(super) struct FileSentences {
    pub(super) sentences: Vec<TaggedSentence>,
    pub(super) notes: Vec<ReadNote>,
    class_names: Option<(PathBuf, Vec<String>)>,
    /// The first line whose tags are integers.
    ids: Option<(Arc<Path>, usize)>,
}

impl TaggedDataset {
    /// Reads a UTF-8 file, compressed or not, or standard input for `-`: JSON Lines, Parquet or Arrow by its extension, else
    /// CoNLL. A byte-order mark and CRLF line ends are tolerated.
    ///
    /// **CoNLL**: a word a line with its tag, two columns or more. Where the first line of a word has a tab, columns are
    /// separated by tabs alone (so a word may hold a space), else by runs of spaces and tabs; any other character may be part
    /// of a word. A line of nothing but white space ends a sentence, as does one whose word is `-DOCSTART-`, which is left
    /// out. Lines that begin with `# ` and hold no tag of the other lines are comments.
    ///
    /// **JSON Lines, Parquet, Arrow**: an object a line, or a row, with `tokens` and `ner_tags` (or `tags`, `labels`), lists of
    /// one length. Tags are strings, or ids of names that `columns` or the file's metadata give.
    ///
    /// # Errors
    /// A file that cannot be read or unpacked, holds no sentence, or is not UTF-8; a line without a tag or without a word, or
    /// with another number of columns than the first; broken JSON, lists of unequal length, or ids without names. The message
    /// has file and line.
    pub fn read(path: &Path, columns: &TagColumns) -> Result<Self, ReadError> {
        Self::read_files(&[path.to_owned()], columns)
    }

    /// Reads several files as one, in their order.
    ///
    /// # Errors
    /// As [`read`](Self::read); no file at all; files whose metadata have different names for the tags.
    pub fn read_files(paths: &[PathBuf], columns: &TagColumns) -> Result<Self, ReadError> {
        let names: Vec<PathBuf> = paths.iter().map(|path| name_of(path)).collect();
        let mut dataset = Self {
            path: together(&names),
            sentences: Vec::new(),
            label_names: None,
            notes: Vec::new(),
        };
        let (mut found, mut ids) = (None, None);
        for path in paths {
            let file = read_file(path, columns)?;
            same_names(&mut found, file.class_names)?;
            ids = ids.or(file.ids);
            dataset.sentences.extend(file.sentences);
            dataset.notes.extend(file.notes);
        }
        if dataset.sentences.is_empty() {
            return Err(ReadError::Empty {
                path: dataset.path,
                header: false,
            });
        }
        match (
            known_names(&columns.label_names, found, &mut dataset.notes),
            ids,
        ) {
            (Some(known), _) => dataset.name_the_ids(known)?,
            (None, None) => {}
            (None, Some((path, line))) => {
                return Err(ReadError::TagIds {
                    path: path.to_path_buf(),
                    line,
                });
            }
        }
        Ok(dataset)
    }

    /// Puts names in the place of ids.
    fn name_the_ids(&mut self, known: KnownNames) -> Result<(), ReadError> {
        let mut tags = self.sentences.iter().flat_map(|one| &one.tags);
        let are_names = !known.are_ids && tags.all(|tag| known.names.contains(tag));
        for sentence in &mut self.sentences {
            let TaggedSentence {
                tags, file, lines, ..
            } = sentence;
            for (tag, &line) in tags.iter_mut().zip(&*lines) {
                if !are_names {
                    let name = known.name_of(tag);
                    *tag = name.ok_or_else(|| ReadError::UnknownId {
                        path: file.to_path_buf(),
                        line,
                        label: tag.clone(),
                        names: known.names.clone(),
                    })?;
                }
            }
        }
        self.label_names = Some(known.names);
        Ok(())
    }
}

impl TaggedSentence {
    pub(super) fn empty(file: &Arc<Path>) -> Self {
        Self {
            words: Vec::new(),
            tags: Vec::new(),
            file: Arc::clone(file),
            lines: Vec::new(),
        }
    }
}

fn read_file(path: &Path, columns: &TagColumns) -> Result<FileSentences, ReadError> {
    let mut source = Source::open(path)?;
    let format = match Format::of_extension(&source.inner) {
        None if source::is_standard_input(path) => Format::of_content(source.first_bytes()?),
        format => format,
    };
    let name = source.path.clone();
    let mut objects = Objects::new(&name, columns);
    match format {
        Some(Format::JsonLines) => {
            let content = source.into_text()?;
            for (line, text) in numbered_lines(&content) {
                let object = serde_json::from_str(text).map_err(|source| ReadError::Json {
                    path: name.clone(),
                    line,
                    source,
                })?;
                objects.push(line, &object)?;
            }
        }
        Some(format @ (Format::Parquet | Format::Arrow)) => {
            objects.push_table(source, format)?;
        }
        Some(Format::Tsv | Format::Csv) | None => {
            let content = source.into_text()?;
            return conll::read(&name, &content, columns);
        }
    }
    let mut file = objects.file;
    if let (None, Some(column)) = (&file.class_names, &objects.tag_column) {
        file.class_names = features::beside(path, column);
    }
    Ok(file)
}

/// Turns objects into sentences.
struct Objects<'a> {
    path: Arc<Path>,
    columns: &'a TagColumns,
    tag_column: Option<String>,
    file: FileSentences,
}

impl<'a> Objects<'a> {
    fn new(path: &Path, columns: &'a TagColumns) -> Self {
        Self {
            path: Arc::from(path),
            columns,
            tag_column: None,
            file: FileSentences::default(),
        }
    }

    #[cfg(feature = "columnar")]
    fn push_table(&mut self, source: Source, format: Format) -> Result<(), ReadError> {
        let table = super::Table::open(source, format)?;
        let features = table.features();
        let names = table.names();
        let (tokens, tags) = self.find(1, &names)?;
        let column = names[tags].to_owned();
        table.rows(&[tokens.min(tags), tokens.max(tags)], |line, object| {
            self.push(line, &object)
        })?;
        let names = features.and_then(|features| features::class_names(&features, &column));
        self.file.class_names = names.map(|names| (self.path.to_path_buf(), names));
        Ok(())
    }

    #[cfg(not(feature = "columnar"))]
    fn push_table(&mut self, source: Source, _format: Format) -> Result<(), ReadError> {
        Err(ReadError::NoColumnar { path: source.path })
    }

    /// The columns of words and of tags.
    fn find(&self, line: usize, names: &[&str]) -> Result<(usize, usize), ReadError> {
        let find = |role, given: &Option<Column>, usual: &[&str]| {
            let path = self.path.to_path_buf();
            let columns = || names.iter().map(|name| (*name).to_owned()).collect();
            match given {
                Some(Column::Index(index)) => Err(ReadError::IndexInJson {
                    path,
                    role,
                    index: *index,
                }),
                Some(Column::Name(name)) => {
                    let found = names.iter().position(|other| other == name);
                    found.ok_or_else(|| ReadError::MissingColumn {
                        path,
                        line,
                        role,
                        name: name.clone(),
                        columns: columns(),
                    })
                }
                None => {
                    let mut found = usual
                        .iter()
                        .filter_map(|name| names.iter().position(|other| other == name));
                    found.next().ok_or_else(|| ReadError::UnknownColumn {
                        path,
                        line,
                        role,
                        columns: columns(),
                    })
                }
            }
        };
        Ok((
            find(ColumnRole::Tokens, &self.columns.word, &TOKEN_NAMES)?,
            find(ColumnRole::Tags, &self.columns.tag, &TAG_NAMES)?,
        ))
    }

    fn push(&mut self, line: usize, object: &Object) -> Result<(), ReadError> {
        let keys: Vec<&str> = object.keys().map(String::as_str).collect();
        let (tokens, tags) = self.find(line, &keys)?;
        let (tokens, tags) = (keys[tokens], keys[tags]);
        let words = self.strings(
            line,
            tokens,
            &object[tokens],
            "a list of strings",
            |value| Some(value.as_str()?.to_owned()),
        )?;
        let expected = "a list of names, or of ids";
        let tag_list = self.strings(line, tags, &object[tags], expected, |value| match value {
            Value::String(tag) => Some(super::normalized(tag)),
            Value::Number(number) if !number.is_f64() => Some(number.to_string()),
            _ => None,
        })?;
        let path = || self.path.to_path_buf();
        if words.len() != tag_list.len() {
            return Err(ReadError::TagCount {
                path: path(),
                line,
                words: words.len(),
                tags: tag_list.len(),
            });
        }
        if let Some(index) = tag_list.iter().position(String::is_empty) {
            return Err(ReadError::EmptyTag {
                path: path(),
                line,
                index,
            });
        }
        let are_ids = object[tags].get(0).is_some_and(Value::is_number);
        if are_ids && self.file.ids.is_none() {
            self.file.ids = Some((Arc::clone(&self.path), line));
        }
        self.tag_column.get_or_insert_with(|| tags.to_owned());
        self.file.sentences.push(TaggedSentence {
            lines: vec![line; words.len()],
            words,
            tags: tag_list,
            file: Arc::clone(&self.path),
        });
        Ok(())
    }

    fn strings(
        &self,
        line: usize,
        key: &str,
        value: &Value,
        expected: &'static str,
        string: impl Fn(&Value) -> Option<String>,
    ) -> Result<Vec<String>, ReadError> {
        let kind_error = |found: &Value| ReadError::JsonKind {
            path: self.path.to_path_buf(),
            line,
            key: key.to_owned(),
            expected,
            found: kind_of(found),
        };
        let Value::Array(elements) = value else {
            return Err(kind_error(value));
        };
        let strings = elements
            .iter()
            .map(|one| string(one).ok_or_else(|| kind_error(one)));
        strings.collect()
    }
}
