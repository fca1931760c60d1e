//! Two files of predictions for the same data.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bert_tasks::question_answering::head::metrics::{
    SquadMetrics, SquadVersion, evaluate as score_answers,
};
use bert_tasks::text_classification::head::metrics::pearson;
use bert_tasks::token_classification::head::metrics::evaluate as score_entities;
use bert_tasks::token_classification::head::tags::Scheme;
use bert_text::{SquadDataset, matching_files};
use serde::Deserialize;

/// Both predictions of each unit, and what is right.
#[derive(Debug)]
pub(super) enum Pairs {
    /// Classes of rows.
    Classes(Vec<Pair<String>>),
    /// Sets of classes of rows.
    Sets(Vec<Pair<BTreeSet<String>>>),
    /// Numbers of rows.
    Numbers(Vec<Pair<f32>>),
    /// Tags of sentences.
    Tags(Vec<Pair<Vec<String>>>),
    /// Exact match and F1 of the answers to questions, in percent.
    Answers(Vec<[[f64; 2]; 2]>),
}

#[derive(Debug)]
pub(super) struct Pair<T> {
    predicted: [T; 2],
    reference: T,
}

/// A record of `bert evaluate --predictions`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Record {
    Sentence {
        tokens: Vec<String>,
        labels: Vec<String>,
        predictions: Vec<String>,
    },
    Set {
        labels: BTreeSet<String>,
        reference: BTreeSet<String>,
    },
    Class {
        label: String,
        reference: String,
    },
    Number {
        score: f32,
        reference: f32,
    },
}

/// Reads two files of predictions. `names` are what the user calls them, `data` has the right answers of questions, and
/// `is_data_used` says that a model has predicted it.
pub(super) fn read(
    names: [&Path; 2],
    files: &[PathBuf; 2],
    data: &[PathBuf],
    is_data_used: bool,
) -> Result<Pairs> {
    let [first, second] = names;
    let texts = [text(first, &files[0])?, text(second, &files[1])?];
    if let (Some(one), Some(other)) = (answers(&texts[0]), answers(&texts[1])) {
        return of_answers([first, second], [one, other], data);
    }
    if !data.is_empty() && !is_data_used {
        bail!(
            "--data: only models and files of question answering need it; in other files each prediction has its reference"
        );
    }
    let [one, other] = [records(first, &texts[0])?, records(second, &texts[1])?];
    if one.len() != other.len() {
        bail!(
            "{} has {} predictions and {} has {}; compare predictions for the same data",
            first.display(),
            one.len(),
            second.display(),
            other.len()
        );
    }
    let places = |index: usize| format!("{}, line {}", second.display(), index + 1);
    let mut pairs: Option<Pairs> = None;
    for (index, records) in one.into_iter().zip(other).enumerate() {
        let is_alike = add(&mut pairs, records);
        if !is_alike {
            bail!(
                "{}: the reference is another than in {}; compare predictions for the same data",
                places(index),
                first.display()
            );
        }
    }
    pairs.with_context(|| format!("{}: there are no predictions", first.display()))
}

/// Adds a pair; `false` when the records do not belong together.
fn add(pairs: &mut Option<Pairs>, records: (Record, Record)) -> bool {
    use Record::{Class, Number, Sentence, Set};
    macro_rules! push {
        ($kind:ident, $one:expr, $other:expr, $reference:expr) => {{
            let Pairs::$kind(list) = pairs.get_or_insert_with(|| Pairs::$kind(Vec::new())) else {
                return false;
            };
            list.push(Pair {
                predicted: [$one, $other],
                reference: $reference,
            });
            true
        }};
    }
    match records {
        (
            Sentence {
                tokens,
                labels,
                predictions,
            },
            Sentence {
                tokens: other_tokens,
                labels: other_labels,
                predictions: other,
            },
        ) if tokens == other_tokens && labels == other_labels => {
            push!(Tags, predictions, other, labels)
        }
        (
            Set { labels, reference },
            Set {
                labels: other,
                reference: same,
            },
        ) if reference == same => {
            push!(Sets, labels, other, reference)
        }
        (
            Class { label, reference },
            Class {
                label: other,
                reference: same,
            },
        ) if reference == same => {
            push!(Classes, label, other, reference)
        }
        (
            Number { score, reference },
            Number {
                score: other,
                reference: same,
            },
        ) if reference == same => {
            push!(Numbers, score, other, reference)
        }
        _ => false,
    }
}

fn text(name: &Path, file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{}: cannot read", name.display()))
}

fn records(path: &Path, text: &str) -> Result<Vec<Record>> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            serde_json::from_str(line).ok().with_context(|| {
                format!(
                    "{}, line {}: expected a record of `bert evaluate --predictions`, with its reference",
                    path.display(),
                    index + 1
                )
            })
        })
        .collect()
}

/// The answers by question, where the text is one object of texts.
fn answers(text: &str) -> Option<HashMap<String, String>> {
    serde_json::from_str(text).ok()
}

fn of_answers(
    paths: [&Path; 2],
    answers: [HashMap<String, String>; 2],
    data: &[PathBuf],
) -> Result<Pairs> {
    if data.is_empty() {
        bail!(
            "{}: answers to questions have no references in the file; give the SQuAD file as --data",
            paths[0].display()
        );
    }
    let data = SquadDataset::read_files(&matching_files(data)?)?;
    let version = match data.has_unanswerable() {
        true => SquadVersion::V2,
        false => SquadVersion::V1,
    };
    let score = |which: usize, id: &str, right: &[&str]| {
        let answer = answers[which]
            .get(id)
            .with_context(|| format!("{}: no answer to question {id:?}", paths[which].display()))?;
        anyhow::Ok(
            match score_answers(&[answer], &[right.to_vec()], version)? {
                SquadMetrics::V1(metrics) => [metrics.exact_match, metrics.f1],
                SquadMetrics::V2(metrics) => [metrics.exact, metrics.f1],
            },
        )
    };
    let pairs: Result<Vec<_>> = data
        .questions
        .iter()
        .map(|question| {
            let right: Vec<&str> = question
                .answers
                .iter()
                .map(|one| one.text.as_str())
                .collect();
            Ok([
                score(0, &question.id, &right)?,
                score(1, &question.id, &right)?,
            ])
        })
        .collect();
    Ok(Pairs::Answers(pairs?))
}

impl Pairs {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Classes(pairs) => pairs.len(),
            Self::Sets(pairs) => pairs.len(),
            Self::Numbers(pairs) => pairs.len(),
            Self::Tags(pairs) => pairs.len(),
            Self::Answers(pairs) => pairs.len(),
        }
    }

    /// What one of them is called.
    pub(super) fn unit(&self) -> &'static str {
        match self {
            Self::Classes(_) | Self::Sets(_) | Self::Numbers(_) => "row",
            Self::Tags(_) => "sentence",
            Self::Answers(_) => "question",
        }
    }

    /// The figure that is compared.
    pub(super) fn figure(&self) -> &'static str {
        match self {
            Self::Classes(_) => "accuracy",
            Self::Sets(_) => "f1_micro",
            Self::Numbers(_) => "pearson",
            Self::Tags(pairs) if scheme(pairs).is_none() => "accuracy",
            Self::Tags(_) | Self::Answers(_) => "f1",
        }
    }

    /// Which of both predictions are right, unit by unit; of a sentence, in every tag; of a question, word for word.
    /// `None` for numbers.
    pub(super) fn right(&self) -> Option<Vec<[bool; 2]>> {
        fn of<T: PartialEq>(pairs: &[Pair<T>]) -> Option<Vec<[bool; 2]>> {
            let right =
                |pair: &Pair<T>| [0, 1].map(|which| pair.predicted[which] == pair.reference);
            Some(pairs.iter().map(right).collect())
        }
        match self {
            Self::Classes(pairs) => of(pairs),
            Self::Sets(pairs) => of(pairs),
            Self::Tags(pairs) => of(pairs),
            Self::Numbers(_) => None,
            Self::Answers(pairs) => {
                let right = |pair: &[[f64; 2]; 2]| pair.map(|[exact, _]| exact > 0.0);
                Some(pairs.iter().map(right).collect())
            }
        }
    }

    /// The figure of both models over some units, each as often as it is listed.
    pub(super) fn figures(&self, units: &[usize]) -> Result<[f64; 2]> {
        let mean = |value: &dyn Fn(usize) -> f64| {
            units.iter().map(|&unit| value(unit)).sum::<f64>() / units.len().max(1) as f64
        };
        let both = |figure: &dyn Fn(usize) -> Result<f64>| Ok([figure(0)?, figure(1)?]);
        match self {
            Self::Classes(pairs) => both(&|which| {
                Ok(mean(&|unit| {
                    f64::from(pairs[unit].predicted[which] == pairs[unit].reference)
                }))
            }),
            Self::Sets(pairs) => both(&|which| Ok(f1_micro(pairs, units, which))),
            Self::Numbers(pairs) => both(&|which| {
                let predicted: Vec<f32> = units
                    .iter()
                    .map(|&unit| pairs[unit].predicted[which])
                    .collect();
                let references: Vec<f32> =
                    units.iter().map(|&unit| pairs[unit].reference).collect();
                Ok(pearson(&predicted, &references)?.unwrap_or(f64::NAN))
            }),
            Self::Tags(pairs) => {
                let scheme = scheme(pairs);
                both(&|which| {
                    let predicted: Vec<Vec<&str>> = units
                        .iter()
                        .map(|&unit| words(&pairs[unit].predicted[which]))
                        .collect();
                    let references: Vec<Vec<&str>> = units
                        .iter()
                        .map(|&unit| words(&pairs[unit].reference))
                        .collect();
                    let metrics = score_entities(&predicted, &references, scheme)?;
                    Ok(scheme.map_or(metrics.accuracy, |_| metrics.default.f1))
                })
            }
            Self::Answers(pairs) => both(&|which| Ok(mean(&|unit| pairs[unit][which][1]))),
        }
    }
}

fn words(tags: &[String]) -> Vec<&str> {
    tags.iter().map(String::as_str).collect()
}

/// The scheme of the tags of all references and predictions.
fn scheme(pairs: &[Pair<Vec<String>>]) -> Option<Scheme> {
    let tags = pairs
        .iter()
        .flat_map(|pair| pair.reference.iter().chain(pair.predicted.iter().flatten()));
    let tags: BTreeSet<&str> = tags.map(String::as_str).collect();
    Scheme::of(&tags.into_iter().collect::<Vec<_>>())
}

/// 2 · true positives / (predicted + right), over all classes.
fn f1_micro(pairs: &[Pair<BTreeSet<String>>], units: &[usize], which: usize) -> f64 {
    let (mut both, mut all) = (0, 0);
    for &unit in units {
        let (predicted, reference) = (&pairs[unit].predicted[which], &pairs[unit].reference);
        both += predicted.intersection(reference).count();
        all += predicted.len() + reference.len();
    }
    match all {
        0 => 0.0,
        all => 2.0 * both as f64 / all as f64,
    }
}
