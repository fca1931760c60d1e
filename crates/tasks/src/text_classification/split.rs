use std::path::PathBuf;

use bert_text::{Dataset, Example, Label, LabelError, LabelSet, regression_targets};
use bert_text_classification::{Labels, ProblemType};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{Documents, TaskError};

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

    /// Those of some examples, each as often as it is listed.
    pub(crate) fn of_rows(&self, rows: &[usize]) -> Self {
        let rows = rows.iter();
        match self {
            Self::Classes(classes) => Self::Classes(rows.map(|&row| classes[row]).collect()),
            Self::MultiHot(hot) => Self::MultiHot(rows.map(|&row| hot[row].clone()).collect()),
            Self::Values(values) => Self::Values(rows.map(|&row| values[row]).collect()),
        }
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
    pub documents: Documents,
    /// The true label of each example.
    pub targets: Targets,
    /// The examples as the file has them, to be shown.
    pub examples: Vec<Example>,
}

impl Split {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// Examples that were cut to the maximum length.
    pub fn truncated(&self) -> usize {
        self.documents.truncated()
    }
}

/// The problem type that the labels of a data set suggest: lists of names are multi label, numbers of which some have a
/// fraction are a regression, everything else is single label.
///
/// # Errors
///
/// Most labels are numbers, some with a fraction, and one is none; or all are, but with a decimal comma.
pub fn guess_problem_type(data: &Dataset) -> Result<ProblemType, LabelError> {
    let labelled = || {
        let examples = data.examples.iter();
        examples.filter_map(|example| Some((example, example.label.as_ref()?)))
    };
    if labelled().any(|(_, label)| matches!(label, Label::Names(_))) {
        return Ok(ProblemType::MultiLabelClassification);
    }
    let numbers = || labelled().filter_map(|(_, label)| label.number());
    let has_fraction = numbers().any(|number| number.fract() != 0.0);
    let has_commas = labelled().any(|(_, label)| has_decimal_comma(label));
    let odd = labelled().find(|(_, label)| label.number().is_none());
    match odd {
        None if has_fraction => Ok(ProblemType::Regression),
        None => Ok(ProblemType::SingleLabelClassification),
        Some((example, label)) => {
            let all = labelled().count();
            let written = labelled()
                .filter(|(_, label)| label.number().is_some() || has_decimal_comma(label));
            let are_scores = has_fraction && 2 * numbers().count() > all;
            let are_spelled_scores = has_commas && 2 * written.count() > all;
            if !are_scores && !are_spelled_scores {
                return Ok(ProblemType::SingleLabelClassification);
            }
            Err(LabelError::MostlyNumbers {
                path: example.file.to_path_buf(),
                line: example.line,
                label: label.class_names().concat(),
                numbers: numbers().count(),
                labels: all,
                decimal_comma: has_decimal_comma(label),
            })
        }
    }
}

/// A number as half of the world writes it: `3,5`.
fn has_decimal_comma(label: &Label) -> bool {
    let Label::Name(name) = label else {
        return false;
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = name.strip_prefix('-').unwrap_or(name);
    matches!(unsigned.split_once(','), Some((whole, fraction)) if digits(whole) && digits(fraction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn guess(labels: &[&str]) -> Result<ProblemType, LabelError> {
        let example = |(index, label): (usize, &&str)| Example {
            text: "text".into(),
            text_pair: None,
            label: Some(Label::Name((*label).into())),
            file: Path::new("data.tsv").into(),
            line: index + 1,
        };
        let examples = labels.iter().enumerate().map(example);
        guess_problem_type(&Dataset::new("data.tsv".into(), examples.collect()))
    }

    fn guessed(labels: &[&str]) -> ProblemType {
        guess(labels).expect("a problem type")
    }

    #[test]
    fn scores_with_one_bad_cell_are_an_error_that_counts() {
        for (bad, words) in [("n/a", "\"n/a\""), ("3,5", "comma"), ("inf", "\"inf\"")] {
            let mut labels = vec!["2.5"; 39];
            labels.insert(6, bad);
            let message = guess(&labels).expect_err("a bad cell").to_string();
            for words in [words, "39 of 40", "line 7", "--problem-type"] {
                assert!(message.contains(words), "{message}");
            }
        }
        let message = guess(&["1,5", "2", "3,5"]).expect_err("commas").to_string();
        assert!(message.contains("1 of 3"), "{message}");
        let classes = ProblemType::SingleLabelClassification;
        assert_eq!(guessed(&["a, b", "c", "1,2 or so"]), classes);
        assert_eq!(guessed(&["1", "2", "3", "n/a"]), classes);
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
