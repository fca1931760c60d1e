use std::ops::Range;

use bert_text::Encoding;

use crate::inference::lengths;

/// Texts as the model reads them: each in one window or in several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Documents {
    /// The windows of all texts, in the order of the texts.
    windows: Vec<Encoding>,
    /// Where the windows of each text end.
    ends: Vec<usize>,
}

impl From<Vec<Encoding>> for Documents {
    /// Texts of one window each.
    fn from(windows: Vec<Encoding>) -> Self {
        Self {
            ends: (1..=windows.len()).collect(),
            windows,
        }
    }
}

impl Documents {
    /// Texts of any number of windows.
    pub fn of_windows(texts: Vec<Vec<Encoding>>) -> Self {
        let mut end = 0;
        let ends = texts.iter().map(|windows| {
            end += windows.len();
            end
        });
        Self {
            ends: ends.collect(),
            windows: texts.into_iter().flatten().collect(),
        }
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no texts.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The windows of all texts, in the order of the texts.
    pub fn windows(&self) -> &[Encoding] {
        &self.windows
    }

    /// The windows of one text.
    pub fn of(&self, text: usize) -> &[Encoding] {
        &self.windows[self.range(text)]
    }

    /// Which of all windows are those of one text.
    pub(crate) fn range(&self, text: usize) -> Range<usize> {
        let start = text.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[text]
    }

    /// The number of windows of each of these texts.
    pub(crate) fn counts(&self, texts: &[usize]) -> Vec<usize> {
        texts.iter().map(|&text| self.range(text).len()).collect()
    }

    /// The tokens that the model computes for each text, special tokens included.
    pub fn lengths(&self) -> Vec<usize> {
        let of_windows = lengths(&self.windows);
        let texts = 0..self.len();
        texts
            .map(|text| of_windows[self.range(text)].iter().sum())
            .collect()
    }

    /// The tokens of a text that none of its windows has.
    pub fn truncated_tokens(&self, text: usize) -> usize {
        let windows = self.of(text).iter();
        windows
            .map(|window| window.truncated_tokens)
            .max()
            .unwrap_or(0)
    }

    /// How many texts have tokens that no window has.
    pub fn truncated(&self) -> usize {
        let texts = 0..self.len();
        texts
            .filter(|&text| self.truncated_tokens(text) > 0)
            .count()
    }

    /// How many texts have several windows.
    pub fn in_windows(&self) -> usize {
        let texts = 0..self.len();
        texts.filter(|&text| self.range(text).len() > 1).count()
    }
}
