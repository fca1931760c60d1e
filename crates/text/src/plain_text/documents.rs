//! Documents of sentences, and pairs of sentences from them.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use rand::rngs::ChaCha12Rng;
use rand::{RngExt, SeedableRng};

use super::{PlainTextError, TextPieces};
use crate::reader::{name_of, together};

/// Documents of one sentence a line, parted by blank lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// Where they come from, for messages.
    pub path: PathBuf,
    /// The sentences of each document; none is empty.
    pub documents: Vec<Vec<String>>,
}

/// Two sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentencePair<'a> {
    /// The first sentence.
    pub text: &'a str,
    /// The one that follows it, or one of another document.
    pub text_pair: &'a str,
    /// Whether it follows it.
    pub is_next: bool,
}

impl Documents {
    /// Reads a file. Of a line that is longer than a piece ([`TextPieces`]) the first piece is the sentence: more than any
    /// model takes.
    ///
    /// # Errors
    /// The file cannot be read, has no text, is one document alone, or no sentence of it is followed by another one.
    pub fn open(path: &Path) -> Result<Self, PlainTextError> {
        Self::open_files(&[path.to_owned()])
    }

    /// Reads several files as one. A file ends a document.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_files(paths: &[PathBuf]) -> Result<Self, PlainTextError> {
        let names: Vec<PathBuf> = paths.iter().map(|path| name_of(path)).collect();
        let documents = Self::read(TextPieces::open_files(paths)?)?;
        Ok(Self {
            path: together(&names),
            ..documents
        })
    }

    /// As [`open`](Self::open), from anything.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read<R: BufRead>(mut pieces: TextPieces<R>) -> Result<Self, PlainTextError> {
        let mut documents = vec![Vec::new()];
        for piece in pieces.by_ref() {
            let piece = piece?;
            let is_blank = piece.text.trim().is_empty();
            if piece.line == 1
                && piece.starts_line
                && documents.last().is_some_and(|one| !one.is_empty())
            {
                documents.push(Vec::new());
            }
            match documents.last_mut() {
                Some(document) if piece.starts_line && !is_blank => document.push(piece.text),
                Some(document) if piece.starts_line && !document.is_empty() => {
                    documents.push(Vec::new());
                }
                _ => {}
            }
        }
        documents.retain(|document| !document.is_empty());
        let path = pieces.path().to_owned();
        match documents.as_slice() {
            [] => Err(PlainTextError::NoText { path }),
            [_] => Err(PlainTextError::OneDocument { path }),
            several if several.iter().all(|document| document.len() < 2) => {
                Err(PlainTextError::NoPairs { path })
            }
            _ => Ok(Self { path, documents }),
        }
    }

    /// One pair for every sentence that another one follows: with probability one half that other one, else a sentence
    /// of another document, drawn evenly among documents and then among their sentences, as in Google's code. A pure
    /// function of the documents and the seed.
    pub fn pairs(&self, seed: u64) -> Vec<SentencePair<'_>> {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let mut pairs = Vec::new();
        for (index, document) in self.documents.iter().enumerate() {
            for following in document.windows(2) {
                let is_next = random.random_bool(0.5);
                let text_pair = if is_next {
                    &following[1]
                } else {
                    self.random_sentence(index, &mut random)
                };
                pairs.push(SentencePair {
                    text: &following[0],
                    text_pair,
                    is_next,
                });
            }
        }
        pairs
    }

    /// A sentence of any document but one.
    fn random_sentence(&self, but: usize, random: &mut ChaCha12Rng) -> &str {
        let drawn = random.random_range(0..self.documents.len() - 1);
        let document = &self.documents[drawn + usize::from(drawn >= but)];
        &document[random.random_range(0..document.len())]
    }
}
