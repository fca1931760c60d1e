//! Rows of a token-classification data set.

use std::path::PathBuf;

/// A sentence: words with one tag each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedSentence {
    /// The words, as the file has them.
    pub words: Vec<String>,
    /// One tag a word.
    pub tags: Vec<String>,
    /// 1-based line of each word.
    pub lines: Vec<usize>,
}

/// The sentences of one file, in its order. Never empty when read from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedDataset {
    /// Where the sentences come from, for messages.
    pub path: PathBuf,
    /// The sentences.
    pub sentences: Vec<TaggedSentence>,
}

impl TaggedDataset {
    /// Number of words in all sentences.
    pub fn words(&self) -> usize {
        self.sentences
            .iter()
            .map(|sentence| sentence.words.len())
            .sum()
    }
}
