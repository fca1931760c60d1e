use bert_nli::{Role, Scheme};
use bert_text::{Dataset, Example, Label, LabelError};

use crate::TaskError;

/// The label in SNLI and MNLI of a pair whose annotators did not agree.
const NO_AGREEMENT: &str = "-";
/// The same in the integer labels of hub data sets.
const NO_AGREEMENT_ID: &str = "-1";

/// Premises and hypotheses with the roles of their labels.
#[derive(Debug, Clone)]
pub struct NliData {
    /// The pairs; a label is the name of its [`Role`].
    pub dataset: Dataset,
    /// The role of each pair.
    pub roles: Vec<Role>,
    /// Rows that were left out because their label is `-` or `-1`: the annotators did not agree.
    pub without_agreement: usize,
}

impl NliData {
    /// Leaves out the pairs without an agreed label and finds the role of every other label by its name.
    ///
    /// # Errors
    ///
    /// No pair is left, one has no second text, or a label is none of natural-language inference.
    pub fn new(mut dataset: Dataset) -> Result<Self, TaskError> {
        let without_agreement =
            dataset.remove_label(NO_AGREEMENT) + dataset.remove_label(NO_AGREEMENT_ID);
        if dataset.examples.is_empty() {
            return Err(TaskError::Labels {
                path: dataset.path,
                reason: format!(
                    "the label of every row is {NO_AGREEMENT:?}; expected pairs with agreed labels"
                ),
            });
        }
        let mut roles = Vec::with_capacity(dataset.examples.len());
        for example in &mut dataset.examples {
            if example.text_pair.is_none() {
                return Err(TaskError::Labels {
                    path: example.file.to_path_buf(),
                    reason: format!(
                        "line {}: there is no hypothesis; name the column of the second text",
                        example.line
                    ),
                });
            }
            let role = role(example).map_err(|label| unknown(example, label))?;
            example.label = Some(Label::Name(role.name().to_owned()));
            roles.push(role);
        }
        Ok(Self {
            dataset,
            roles,
            without_agreement,
        })
    }

    /// Some of the pairs, in the order given.
    ///
    /// # Panics
    ///
    /// There is no such pair.
    pub fn subset(&self, pairs: &[usize]) -> Self {
        Self {
            dataset: self.dataset.subset(pairs, self.dataset.label_names.clone()),
            roles: pairs.iter().map(|&pair| self.roles[pair]).collect(),
            without_agreement: 0,
        }
    }

    /// The scheme of the roles in the data.
    ///
    /// # Errors
    ///
    /// One role alone, or labels of two-way and of three-way data together.
    pub fn scheme(&self) -> Result<Scheme, TaskError> {
        Scheme::of(self.roles.iter().copied()).map_err(|error| TaskError::Labels {
            path: self.dataset.path.clone(),
            reason: error.to_string(),
        })
    }

    /// Makes sure that a model of this scheme has a label for every pair. A two-way model has one for three-way data: a
    /// neutral or contradicted hypothesis is not entailed.
    ///
    /// # Errors
    ///
    /// The data is two-way and the model three-way.
    pub fn check_scheme(&self, scheme: Scheme) -> Result<(), TaskError> {
        if scheme == Scheme::TwoWay || !self.roles.contains(&Role::NotEntailment) {
            return Ok(());
        }
        Err(TaskError::Labels {
            path: self.dataset.path.clone(),
            reason: format!(
                "the data is two-way ({}) and the model three-way ({}); train or take a two-way model",
                names(Scheme::TwoWay),
                names(Scheme::ThreeWay)
            ),
        })
    }
}

fn names(scheme: Scheme) -> String {
    let names: Vec<&str> = scheme.roles().iter().map(|role| role.name()).collect();
    names.join(", ")
}

/// The error of a label that is none of natural-language inference; ids have a way on.
fn unknown(example: &Example, label: String) -> TaskError {
    let error = LabelError::Unknown {
        path: example.file.to_path_buf(),
        line: example.line,
        label: label.clone(),
        known: Role::ALL.map(|role| role.name().to_owned()).to_vec(),
    };
    if label.parse::<u32>().is_err() {
        return error.into();
    }
    TaskError::Labels {
        path: example.file.to_path_buf(),
        reason: format!(
            "line {}: the label {label:?} is an id, and nothing says which; give the names in the order of their ids, as in \
             --label-names entailment,neutral,contradiction (or entailment,not_entailment)",
            example.line
        ),
    }
}

/// The role of an example's label, or the label as it stands.
fn role(example: &Example) -> Result<Role, String> {
    match &example.label {
        Some(Label::Name(name)) => Role::of(name).ok_or_else(|| name.clone()),
        Some(Label::Names(names)) => Err(names.join(", ")),
        Some(Label::Score(number)) => Err(number.to_string()),
        None => Err(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn data(rows: &[(&str, Option<&str>)]) -> Dataset {
        let example = |(index, (label, hypothesis)): (usize, &(&str, Option<&str>))| Example {
            text: "premise".into(),
            text_pair: hypothesis.map(str::to_owned),
            label: Some(Label::Name((*label).into())),
            file: Path::new("pairs.tsv").into(),
            line: index + 1,
        };
        let examples = rows.iter().enumerate().map(example);
        Dataset::new("pairs.tsv".into(), examples.collect())
    }

    #[test]
    fn pairs_without_an_agreed_label_are_left_out_and_counted() {
        let rows = [
            ("-", Some("a")),
            ("NEUTRAL", Some("b")),
            ("-", None),
            ("entailment", Some("c")),
        ];
        let read = NliData::new(data(&rows)).expect("two pairs");
        assert_eq!(read.without_agreement, 2);
        assert_eq!(read.roles, [Role::Neutral, Role::Entailment]);
        assert_eq!(
            read.dataset.examples[0].label,
            Some(Label::Name("neutral".into()))
        );
        assert_eq!(read.scheme().expect("two roles"), Scheme::ThreeWay);
        assert!(NliData::new(data(&rows[..1])).is_err(), "nothing is left");
    }

    #[test]
    fn a_label_of_another_task_or_a_missing_hypothesis_is_named_with_its_line() {
        let error =
            NliData::new(data(&[("neutral", Some("a")), ("1", Some("b"))])).expect_err("an id");
        let message = error.to_string();
        for words in [
            "pairs.tsv",
            "line 2",
            "\"1\"",
            "--label-names",
            "not_entailment",
        ] {
            assert!(message.contains(words), "{message}");
        }
        let error = NliData::new(data(&[("maybe", Some("a"))])).expect_err("another name");
        assert!(error.to_string().contains("pairs.tsv, line 1"), "{error}");
        let error = NliData::new(data(&[("neutral", None)])).expect_err("no hypothesis");
        assert!(
            error.to_string().contains("line 1: there is no hypothesis"),
            "{error}"
        );
        let mixed = NliData::new(data(&[
            ("neutral", Some("a")),
            ("not_entailment", Some("b")),
        ]));
        let error = mixed
            .expect("known labels")
            .scheme()
            .expect_err("two schemes");
        assert!(
            error.to_string().contains("neutral and not_entailment"),
            "{error}"
        );
    }
}
