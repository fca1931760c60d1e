//! What labels mean: the classes and their ids, or numbers.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::reader::normalized;
use crate::{Dataset, Example, Label, TaggedDataset};

/// Labels that do not mean what the task needs. Lines count from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LabelError {
    /// A label that is not among the known classes: evaluation has it and training had not.
    #[error("{path}, line {line}: unknown label {label:?}; the known labels are {}", .known.join(", "), path = .path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The label.
        label: String,
        /// The known ones, in id order.
        known: Vec<String>,
    },
    /// A row without a label where one is needed.
    #[error("{path}, line {line}: no label; read the file with its label column", path = .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// A label of another kind than the task has.
    #[error("{path}, line {line}: the label is {found}; expected {expected}", path = .path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The kind the task has.
        expected: &'static str,
        /// The label that is there.
        found: String,
    },
    /// Most labels are numbers with fractions and some are none.
    #[error(
        "{path}, line {line}: {numbers} of {labels} labels are numbers; line {line} is {label:?}{}; correct it, or say with \
         --problem-type single-label that the labels are classes",
        if *.decimal_comma { ", with a comma where numbers have a point" } else { "" },
        path = .path.display()
    )]
    MostlyNumbers {
        /// The file.
        path: PathBuf,
        /// The first line whose label is none.
        line: usize,
        /// That label.
        label: String,
        /// How many are numbers.
        numbers: usize,
        /// How many labels there are.
        labels: usize,
        /// Whether the label is a number in a spelling with a decimal comma.
        decimal_comma: bool,
    },
    /// No row has any class.
    #[error("{path}: no row has a label; expected at least one", path = .path.display())]
    NoClass {
        /// The file.
        path: PathBuf,
    },
    /// Every row has the same class, so there is nothing to tell apart.
    #[error("{path}: every row has the label {label:?}; expected at least two labels", path = .path.display())]
    OneClass {
        /// The file.
        path: PathBuf,
        /// The label.
        label: String,
    },
    /// One name for two ids.
    #[error(
        "label {label:?} has two ids, {first} and {second}; every label needs a name of its own"
    )]
    Duplicate {
        /// The name.
        label: String,
        /// Its first id.
        first: usize,
        /// Its second id.
        second: usize,
    },
}

/// The classes of a task in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSet {
    names: Vec<String>,
    ids: HashMap<String, usize>,
}

impl LabelSet {
    /// Classes in id order, as a checkpoint's `id2label` gives them. A label of data is found by its composed form (NFC), too.
    ///
    /// # Errors
    /// When a name occurs twice.
    pub fn new(names: Vec<String>) -> Result<Self, LabelError> {
        let mut ids = HashMap::with_capacity(names.len());
        for (id, name) in names.iter().enumerate() {
            if let Some(first) = ids.insert(name.clone(), id) {
                return Err(LabelError::Duplicate {
                    label: name.clone(),
                    first,
                    second: id,
                });
            }
        }
        for (id, name) in names.iter().enumerate() {
            ids.entry(normalized(name)).or_insert(id);
        }
        Ok(Self { names, ids })
    }

    /// The classes of a data set: those that it names itself, in its order; else in numerical order when all are non-negative
    /// integers, else sorted by name (by Unicode scalar values, as Python's `sorted`).
    ///
    /// # Errors
    /// A row without a label or with a number that is no class, no class at all, or one class alone in data that is
    /// not multi-label.
    pub fn from_dataset(dataset: &Dataset) -> Result<Self, LabelError> {
        let mut names = BTreeSet::new();
        let mut is_multi_label = false;
        for example in &dataset.examples {
            is_multi_label |= matches!(example.label, Some(Label::Names(_)));
            names.extend(known_label(example)?.class_names());
        }
        let mut names: Vec<String> = names.into_iter().map(Cow::into_owned).collect();
        if names.iter().all(|name| integer(name).is_some()) {
            names.sort_by_key(|name| integer(name));
        }
        match names.as_slice() {
            [] => Err(LabelError::NoClass {
                path: dataset.path.clone(),
            }),
            [label] if !is_multi_label => Err(LabelError::OneClass {
                path: dataset.path.clone(),
                label: label.clone(),
            }),
            _ => Self::new(dataset.label_names.clone().unwrap_or(names)),
        }
    }

    /// The classes to train with: the checkpoint's, in its order, when they are the data set's by name, in whatever
    /// order; else the data set's own.
    ///
    /// # Errors
    /// As [`from_dataset`](Self::from_dataset).
    pub fn for_training(checkpoint: Option<&Self>, dataset: &Dataset) -> Result<Self, LabelError> {
        Ok(Self::from_dataset(dataset)?.ordered_as(checkpoint))
    }

    /// The tags of a data set: those that it names itself, in its order; else sorted by name (by Unicode scalar values, as
    /// Python's `sorted`).
    ///
    /// # Errors
    /// No word at all, or every word has the same tag.
    pub fn from_tags(dataset: &TaggedDataset) -> Result<Self, LabelError> {
        let sentences = dataset.sentences.iter();
        let tags: BTreeSet<&str> = sentences
            .flat_map(|sentence| sentence.tags.iter().map(String::as_str))
            .collect();
        let names: Vec<String> = tags.into_iter().map(str::to_owned).collect();
        match names.as_slice() {
            [] => Err(LabelError::NoClass {
                path: dataset.path.clone(),
            }),
            [label] => Err(LabelError::OneClass {
                path: dataset.path.clone(),
                label: label.clone(),
            }),
            _ => Self::new(dataset.label_names.clone().unwrap_or(names)),
        }
    }

    /// The checkpoint's own set when it has the same names, in whatever order; else this one.
    pub fn ordered_as(self, checkpoint: Option<&Self>) -> Self {
        match checkpoint {
            Some(checkpoint) if checkpoint.has_same_names(&self) => checkpoint.clone(),
            _ => self,
        }
    }

    /// The names in id order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of classes.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no class.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The id of a class. Where the checkpoint never got names (`LABEL_0`, `LABEL_1`, …), an integer is an id.
    pub fn id(&self, name: &str) -> Option<usize> {
        let unnamed = || self.ids.get(&format!("LABEL_{}", integer(name)?));
        self.ids.get(name).or_else(unnamed).copied()
    }

    /// The class of every row: single-label classification.
    ///
    /// # Errors
    /// A row without a label, with a list or a number that is no class, or with an unknown class.
    pub fn resolve(&self, dataset: &Dataset) -> Result<Vec<usize>, LabelError> {
        let resolve = |example: &Example| match known_label(example)? {
            label @ Label::Names(_) => Err(kind_error(example, "one class name", label)),
            label => {
                let name = label.class_names().concat();
                self.known_id(&example.file, example.line, &name)
            }
        };
        dataset.examples.iter().map(resolve).collect()
    }

    /// The classes of every row as one 0 or 1 a class: multi-label classification. A single name is a list of one.
    ///
    /// # Errors
    /// A row without a label, with a number that is no class, or with an unknown class.
    pub fn resolve_multi_label(&self, dataset: &Dataset) -> Result<Vec<Vec<f32>>, LabelError> {
        let resolve = |example: &Example| {
            let mut row = vec![0.0; self.len()];
            for name in known_label(example)?.class_names() {
                row[self.known_id(&example.file, example.line, &name)?] = 1.0;
            }
            Ok(row)
        };
        dataset.examples.iter().map(resolve).collect()
    }

    /// The tag of every word, sentence by sentence.
    ///
    /// # Errors
    /// An unknown tag.
    pub fn resolve_tags(&self, dataset: &TaggedDataset) -> Result<Vec<Vec<usize>>, LabelError> {
        let sentences = dataset.sentences.iter();
        sentences
            .map(|sentence| {
                let tags = sentence.tags.iter().zip(&sentence.lines);
                tags.map(|(tag, &line)| self.known_id(&sentence.file, line, tag))
                    .collect()
            })
            .collect()
    }

    /// How many rows each class has, in id order.
    ///
    /// # Panics
    /// When an id is not of this set.
    pub fn counts(&self, ids: &[usize]) -> Vec<usize> {
        let mut counts = vec![0; self.len()];
        for &id in ids {
            counts[id] += 1;
        }
        counts
    }

    fn known_id(&self, path: &Path, line: usize, name: &str) -> Result<usize, LabelError> {
        self.id(name).ok_or_else(|| LabelError::Unknown {
            path: path.to_owned(),
            line,
            label: name.to_owned(),
            known: self.names.clone(),
        })
    }

    fn has_same_names(&self, other: &Self) -> bool {
        self.len() == other.len() && other.names.iter().all(|name| self.ids.contains_key(name))
    }
}

/// The number of every row: regression.
///
/// # Errors
/// A row without a label, or with one that is not a finite number.
pub fn regression_targets(dataset: &Dataset) -> Result<Vec<f32>, LabelError> {
    let target = |example: &Example| {
        let label = known_label(example)?;
        let number = label.number().map(|number| number as f32);
        number
            .filter(|number| number.is_finite())
            .ok_or_else(|| kind_error(example, "a finite number", label))
    };
    dataset.examples.iter().map(target).collect()
}

fn known_label(example: &Example) -> Result<&Label, LabelError> {
    example.label.as_ref().ok_or_else(|| LabelError::Missing {
        path: example.file.to_path_buf(),
        line: example.line,
    })
}

fn kind_error(example: &Example, expected: &'static str, label: &Label) -> LabelError {
    LabelError::Kind {
        path: example.file.to_path_buf(),
        line: example.line,
        expected,
        found: match label {
            Label::Name(name) => format!("{name:?}"),
            Label::Names(names) => format!("the list {names:?}"),
            Label::Score(number) => format!("the number {number}"),
        },
    }
}

/// Without signs, which `parse` would take.
fn integer(name: &str) -> Option<u64> {
    let is_digits = name.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| name.parse().ok()).flatten()
}
