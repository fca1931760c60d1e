//! Rows of a token-classification data set.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ReadNote;

/// A sentence: words with one tag each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedSentence {
    /// The words, as the file has them.
    pub words: Vec<String>,
    /// One tag a word.
    pub tags: Vec<String>,
    /// The file that the sentence stands in.
    pub file: Arc<Path>,
    /// 1-based line of each word; in Parquet and Arrow files the 1-based row.
    pub lines: Vec<usize>,
}

/// The sentences of a file, or of several, in their order. Never empty when read from files.
#[derive(Debug, Clone, PartialEq)]
pub struct TaggedDataset {
    /// Where the sentences come from, for messages about all of them.
    pub path: PathBuf,
    /// The sentences.
    pub sentences: Vec<TaggedSentence>,
    /// The names of all tags in the order of their ids, where the file or the caller says so. Some may have no word.
    pub label_names: Option<Vec<String>>,
    /// What a reader should be told about how the files were read.
    pub notes: Vec<ReadNote>,
}

impl TaggedDataset {
    /// Some of the sentences, in the order given. `label_names` are those of all sentences, so that no tag loses its id.
    ///
    /// # Panics
    ///
    /// There is no such sentence.
    pub fn subset(&self, sentences: &[usize], label_names: Vec<String>) -> Self {
        let pick = |&sentence: &usize| self.sentences[sentence].clone();
        Self {
            path: self.path.clone(),
            sentences: sentences.iter().map(pick).collect(),
            label_names: Some(label_names),
            notes: Vec::new(),
        }
    }

    /// Number of words in all sentences.
    pub fn words(&self) -> usize {
        self.sentences
            .iter()
            .map(|sentence| sentence.words.len())
            .sum()
    }
}
