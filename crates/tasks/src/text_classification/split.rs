use std::path::PathBuf;

use bert_text::{Dataset, Encoding, Label, LabelSet, regression_targets};
use bert_text_classification::{Labels, ProblemType};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{TaskError, inference};

/// The true labels of a data set.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// One class an example.
    Classes(Vec<usize>),
    /// One row of zeros and ones an example, a column a class.
    MultiHot(Vec<Vec<f32>>),
    /// One number an example.
    Values(Vec<f32>),
}

impl Targets {
    /// Resolves the labels of a data set.
    ///
    /// # Errors
    ///
    /// A label is unknown, missing, or not of the problem type's kind.
    pub fn of(
        data: &Dataset,
        labels: &LabelSet,
        problem_type: ProblemType,
    ) -> Result<Self, TaskError> {
        Ok(match problem_type {
            ProblemType::SingleLabelClassification => Self::Classes(labels.resolve(data)?),
            ProblemType::MultiLabelClassification => {
                Self::MultiHot(labels.resolve_multi_label(data)?)
            }
            ProblemType::Regression => Self::Values(regression_targets(data)?),
        })
    }

    /// The labels of some examples as tensors.
    pub(crate) fn labels(&self, rows: &[usize], device: &Device) -> Labels {
        match self {
            Self::Classes(classes) => {
                let picked: Vec<i32> = rows.iter().map(|&row| classes[row] as i32).collect();
                let data = TensorData::new(picked, [rows.len()]);
                Labels::Classes(Tensor::<1, Int>::from_data(data, device))
            }
            Self::MultiHot(hot) => {
                let columns = rows.first().map_or(0, |&row| hot[row].len());
                let picked = rows.iter().flat_map(|&row| hot[row].iter().copied());
                let data = TensorData::new(picked.collect::<Vec<f32>>(), [rows.len(), columns]);
                Labels::MultiHot(Tensor::from_data(data, device))
            }
            Self::Values(values) => {
                let picked: Vec<f32> = rows.iter().map(|&row| values[row]).collect();
                let data = TensorData::new(picked, [rows.len(), 1]);
                Labels::Values(Tensor::from_data(data, device))
            }
        }
    }
}

/// A data set ready for the model.
#[derive(Debug, Clone)]
pub struct Split {
    /// The file it was read from.
    pub path: PathBuf,
    /// The tokens of each example.
    pub encodings: Vec<Encoding>,
    /// The true label of each example.
    pub targets: Targets,
}

impl Split {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.encodings.len()
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.encodings.is_empty()
    }

    /// Examples that were cut to the maximum length.
    pub fn truncated(&self) -> usize {
        inference::truncated(&self.encodings)
    }
}

/// The problem type that the labels of a data set suggest: lists of names are multi label, numbers of which some have a
/// fraction are a regression, everything else is single label.
pub fn guess_problem_type(data: &Dataset) -> ProblemType {
    let labels = || {
        data.examples
            .iter()
            .filter_map(|example| example.label.as_ref())
    };
    if labels().any(|label| matches!(label, Label::Names(_))) {
        return ProblemType::MultiLabelClassification;
    }
    let number = |label: &Label| match label {
        Label::Score(value) => Some(*value),
        Label::Name(name) => name.parse::<f64>().ok().filter(|value| value.is_finite()),
        Label::Names(_) => None,
    };
    let mut has_fraction = false;
    for label in labels() {
        match number(label) {
            None => return ProblemType::SingleLabelClassification,
            Some(value) => has_fraction |= value.fract() != 0.0,
        }
    }
    if has_fraction {
        ProblemType::Regression
    } else {
        ProblemType::SingleLabelClassification
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bert_text::Example;

    fn guessed(labels: &[&str]) -> ProblemType {
        let example = |label: &&str| Example {
            text: "text".into(),
            text_pair: None,
            label: Some(Label::Name((*label).into())),
            line: 1,
        };
        guess_problem_type(&Dataset {
            path: "data.tsv".into(),
            examples: labels.iter().map(example).collect(),
        })
    }

    #[test]
    fn fractions_among_numbers_are_a_regression() {
        assert_eq!(guessed(&["1", "2.5", "0"]), ProblemType::Regression);
    }

    #[test]
    fn integers_and_names_are_classes() {
        let single = ProblemType::SingleLabelClassification;
        assert_eq!(guessed(&["0", "1", "1"]), single);
        assert_eq!(guessed(&["good", "bad"]), single);
        assert_eq!(guessed(&["2.5", "bad"]), single);
        assert_eq!(guessed(&["nan", "1.5"]), single);
    }
}
