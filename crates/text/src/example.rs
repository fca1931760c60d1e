//! Rows of a text-classification data set.

use std::path::PathBuf;

/// One row: a text or a pair of texts, with the label as the file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The text, or the first of a pair.
    pub text: String,
    /// The second text of a pair.
    pub text_pair: Option<String>,
    /// `None` in a data set that was read as unlabelled.
    pub label: Option<Label>,
    /// 1-based line of the file on which the row starts.
    pub line: usize,
}

/// A label as a file has it; [`LabelSet`](crate::LabelSet) or [`regression_targets`](crate::regression_targets) say
/// what it means.
#[derive(Debug, Clone, PartialEq)]
pub enum Label {
    /// One class name, or a number not yet known to be one.
    Name(String),
    /// Any number of class names: multi-label classification.
    Names(Vec<String>),
    /// A number with a fraction: regression.
    Score(f64),
}

/// The rows of one file, in its order. Never empty when read from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Where the rows come from, for messages.
    pub path: PathBuf,
    /// The rows.
    pub examples: Vec<Example>,
}

impl Dataset {
    /// Takes out the rows whose label is this name, and says how many there were. SNLI and MNLI have `-` where the people
    /// who labelled a pair did not agree.
    pub fn remove_label(&mut self, name: &str) -> usize {
        let before = self.examples.len();
        let has_it =
            |example: &Example| matches!(&example.label, Some(Label::Name(label)) if label == name);
        self.examples.retain(|example| !has_it(example));
        before - self.examples.len()
    }

    /// Texts and pairs as [`Tokenizer::encode_batch`](crate::Tokenizer::encode_batch) takes them.
    pub fn texts(&self) -> Vec<(&str, Option<&str>)> {
        self.examples
            .iter()
            .map(|example| (example.text.as_str(), example.text_pair.as_deref()))
            .collect()
    }
}
