use std::ops::Range;
use std::path::PathBuf;

use bert_kernels::IGNORE_INDEX;
use bert_text::{Encoding, Pieces, TaggedDataset, WordWindow, word_windows};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::TokenClassifier;
use crate::TaskError;

/// The label of a token that the loss ignores.
const IGNORED: i32 = IGNORE_INDEX as i32;

/// A sentence of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Its words.
    pub words: Vec<String>,
    /// The label of each word.
    pub labels: Vec<usize>,
}

/// A data set ready for the model: one example a window.
#[derive(Debug, Clone)]
pub struct Split {
    /// The file it was read from.
    pub path: PathBuf,
    /// The sentences.
    pub sentences: Vec<Sentence>,
    /// The tokens of each window.
    pub encodings: Vec<Encoding>,
    pub(super) windows: Vec<Window>,
}

/// The labels of a window, and the words that are predicted from it.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) sentence: usize,
    /// One label a token, −100 for what is ignored.
    labels: Vec<i32>,
    /// The words that this window predicts, each with its first token: (token, word).
    pub(super) words: Vec<(usize, usize)>,
}

/// A window of a text, with special tokens.
pub(super) struct EncodedWindow {
    pub(super) encoding: Encoding,
    /// Tokens of the window that it predicts, and the same as sub-tokens of the whole text.
    pub(super) tokens: Range<usize>,
    pub(super) owned: Range<usize>,
}

impl TokenClassifier {
    /// A text as the model takes it: as one window, or in several.
    pub(super) fn windows(&self, pieces: &Pieces) -> Result<Vec<EncodedWindow>, TaskError> {
        let tokenizer = &self.pretrained.tokenizer;
        let capacity = tokenizer.capacity(self.pretrained.max_length)?;
        let begins_word = |index| pieces.begins_word(index);
        word_windows(pieces.len(), capacity, begins_word)
            .into_iter()
            .map(|WordWindow { seen, owned }| {
                let encoding = tokenizer.encode_pieces(pieces, seen.clone())?;
                let sequences = &mut encoding.sequence_ids.iter();
                // In a window without tokens of a text every position is special.
                let first = sequences.position(Option::is_some).unwrap_or(0);
                let tokens = first + owned.start - seen.start..first + owned.end - seen.start;
                Ok(EncodedWindow {
                    encoding,
                    tokens,
                    owned,
                })
            })
            .collect()
    }
}

impl Split {
    pub(super) fn new(
        classifier: &TokenClassifier,
        data: &TaggedDataset,
    ) -> Result<Self, TaskError> {
        let labels = classifier.labels.resolve_tags(data)?;
        let words: Vec<&[String]> = data
            .sentences
            .iter()
            .map(|sentence| sentence.words.as_slice())
            .collect();
        let pieces = classifier.pretrained.tokenizer.word_pieces_batch(&words)?;
        let continued = classifier.continued();
        let mut split = Self {
            path: data.path.clone(),
            sentences: Vec::with_capacity(labels.len()),
            encodings: Vec::with_capacity(labels.len()),
            windows: Vec::with_capacity(labels.len()),
        };
        for ((labels, words), pieces) in labels.into_iter().zip(words).zip(&pieces) {
            for window in classifier.windows(pieces)? {
                let owned = pieces.labels(
                    window.owned.clone(),
                    &labels,
                    classifier.alignment,
                    &continued,
                );
                split.push(pieces, window, &owned);
            }
            split.sentences.push(Sentence {
                words: words.to_vec(),
                labels,
            });
        }
        Ok(split)
    }

    /// Adds a window of the next sentence.
    fn push(&mut self, pieces: &Pieces, window: EncodedWindow, owned: &[Option<usize>]) {
        let EncodedWindow {
            encoding,
            tokens,
            owned: range,
        } = window;
        let mut labels = vec![IGNORED; encoding.len()];
        for (label, owned) in labels[tokens.clone()].iter_mut().zip(owned) {
            *label = owned.map_or(IGNORED, |id| id as i32);
        }
        let words = tokens.zip(range).filter_map(|(token, piece)| {
            let word = pieces.word_ids[piece].filter(|_| pieces.begins_word(piece))?;
            Some((token, word as usize))
        });
        self.windows.push(Window {
            sentence: self.sentences.len(),
            labels,
            words: words.collect(),
        });
        self.encodings.push(encoding);
    }

    /// Number of words in all sentences.
    pub fn words(&self) -> usize {
        self.sentences
            .iter()
            .map(|sentence| sentence.words.len())
            .sum()
    }

    /// Sentences that do not fit the model at once and are cut into windows.
    pub fn sentences_in_windows(&self) -> usize {
        let same = self
            .windows
            .chunk_by(|one, next| one.sentence == next.sentence);
        same.filter(|windows| windows.len() > 1).count()
    }

    /// How many tokens of some windows have a label.
    pub(super) fn label_count(&self, rows: &[usize]) -> usize {
        self.learned_labels(rows).count()
    }

    /// The labels of the tokens of some windows that have one.
    pub(super) fn learned_labels(&self, rows: &[usize]) -> impl Iterator<Item = usize> {
        let labels = rows.iter().flat_map(|&row| &self.windows[row].labels);
        labels.filter_map(|&label| usize::try_from(label).ok())
    }

    /// The labels of all tokens that have one.
    pub(super) fn all_learned_labels(&self) -> impl Iterator<Item = usize> {
        let labels = self.windows.iter().flat_map(|window| &window.labels);
        labels.filter_map(|&label| usize::try_from(label).ok())
    }

    /// The labels of some windows, `[B, S]`, padded with −100.
    pub(super) fn labels(&self, rows: &[usize], device: &Device) -> Tensor<2, Int> {
        let rows: Vec<&[i32]> = rows
            .iter()
            .map(|&row| self.windows[row].labels.as_slice())
            .collect();
        let longest = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        let mut padded = Vec::with_capacity(rows.len() * longest);
        for (index, row) in rows.iter().enumerate() {
            padded.extend_from_slice(row);
            padded.resize((index + 1) * longest, IGNORED);
        }
        Tensor::from_data(TensorData::new(padded, [rows.len(), longest]), device)
    }
}
