//! Rows of a text-classification data set.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ReadNote;

/// One row: a text or a pair of texts, with the label as the file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The text, or the first of a pair.
    pub text: String,
    /// The second text of a pair.
    pub text_pair: Option<String>,
    /// `None` in a data set that was read as unlabelled.
    pub label: Option<Label>,
    /// The file that the row stands in.
    pub file: Arc<Path>,
    /// 1-based line of the file on which the row starts; in Parquet and Arrow files the 1-based row.
    pub line: usize,
}

/// A label as a file has it; [`LabelSet`](crate::LabelSet) or [`regression_targets`](crate::regression_targets) say
/// what it means.
#[derive(Debug, Clone, PartialEq)]
pub enum Label {
    /// One class name, or an integer not yet known to be one.
    Name(String),
    /// Any number of class names: multi-label classification.
    Names(Vec<String>),
    /// A number with a fraction: regression.
    Score(f64),
}

impl Label {
    /// The class names that the label is: one, or those of its list. A number names the class of its digits.
    pub fn class_names(&self) -> Vec<Cow<'_, str>> {
        match self {
            Self::Name(name) => vec![Cow::Borrowed(name)],
            Self::Names(names) => names.iter().map(|name| Cow::Borrowed(&**name)).collect(),
            Self::Score(number) => vec![Cow::Owned(number.to_string())],
        }
    }

    /// The finite number that the label is; `None` for a list and for any other text.
    pub fn number(&self) -> Option<f64> {
        let number = match self {
            Self::Score(number) => Some(*number),
            Self::Name(text) => text.parse().ok(),
            Self::Names(_) => None,
        };
        number.filter(|number| number.is_finite())
    }
}

/// The rows of a file, or of several, in their order. Never empty when read from files.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Where the rows come from, for messages about all of them.
    pub path: PathBuf,
    /// The rows.
    pub examples: Vec<Example>,
    /// The names of all classes in the order of their ids, where the file or the caller says so. Some may have no row.
    pub label_names: Option<Vec<String>>,
    /// What a reader should be told about how the files were read.
    pub notes: Vec<ReadNote>,
}

impl Dataset {
    /// Rows that come from no file, or whose file says nothing about its classes.
    pub fn new(path: PathBuf, examples: Vec<Example>) -> Self {
        Self {
            path,
            examples,
            label_names: None,
            notes: Vec::new(),
        }
    }

    /// Takes out the rows whose label is this name, and says how many there were. SNLI and MNLI have `-` where the people
    /// who labelled a pair did not agree.
    pub fn remove_label(&mut self, name: &str) -> usize {
        let before = self.examples.len();
        let has_it =
            |example: &Example| matches!(&example.label, Some(Label::Name(label)) if label == name);
        self.examples.retain(|example| !has_it(example));
        before - self.examples.len()
    }

    /// Some of the rows, in the order given. `label_names` are those of all rows, so that no label loses its id.
    ///
    /// # Panics
    ///
    /// There is no such row.
    pub fn subset(&self, rows: &[usize], label_names: Option<Vec<String>>) -> Self {
        Self {
            path: self.path.clone(),
            examples: rows.iter().map(|&row| self.examples[row].clone()).collect(),
            label_names,
            notes: Vec::new(),
        }
    }

    /// Texts and pairs as [`Tokenizer::encode_batch`](crate::Tokenizer::encode_batch) takes them.
    pub fn texts(&self) -> Vec<(&str, Option<&str>)> {
        self.examples
            .iter()
            .map(|example| (example.text.as_str(), example.text_pair.as_deref()))
            .collect()
    }
}
