//! Precision, recall and F1 of entities, as seqeval 1.2.2 computes them, to the last digit.
//!
//! The default mode is conlleval's: any tags mean entities ([`crate::tags::entities`]). The strict mode takes those alone
//! that are well-formed in a [`Scheme`]. An entity counts as found when type, first and last token are right. A ratio whose
//! denominator is zero is 0, as with seqeval's `zero_division=0`; where there is no entity at all, on either side, seqeval's
//! macro means are NaN and ours are 0.

mod strict;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use strict::strict_entities;

use crate::tags::{Scheme, Span, entities};

/// What `bert evaluate token-classification` reports. The figures of the default mode stand at the top.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntityMetrics {
    /// Number of sentences scored.
    pub sentences: usize,
    /// Number of tokens scored.
    pub tokens: usize,
    /// Share of tokens whose tag is the reference.
    pub accuracy: f64,
    /// seqeval's default mode.
    #[serde(flatten)]
    pub default: EntityScores,
    /// seqeval's strict mode in the labels' scheme; `None` where the labels are in none.
    pub strict: Option<StrictScores>,
}

/// The figures of the strict mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StrictScores {
    /// The scheme that entities have to be well-formed in.
    pub scheme: Scheme,
    /// The figures.
    #[serde(flatten)]
    pub scores: EntityScores,
}

/// The figures of one mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntityScores {
    /// Share of the predicted entities that are right: micro average.
    pub precision: f64,
    /// Share of the entities that were found: micro average.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Unweighted mean of the types' precision.
    pub precision_macro: f64,
    /// Unweighted mean of the types' recall.
    pub recall_macro: f64,
    /// Unweighted mean of the types' F1.
    pub f1_macro: f64,
    /// Mean of the types' precision, weighted by support.
    pub precision_weighted: f64,
    /// Mean of the types' recall, weighted by support.
    pub recall_weighted: f64,
    /// Mean of the types' F1, weighted by support.
    pub f1_weighted: f64,
    /// Number of entities in the references.
    pub support: u64,
    /// Each type that occurs among references or predictions.
    pub per_type: BTreeMap<String, TypeScores>,
}

/// The figures of one type.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TypeScores {
    /// Share of the predicted entities that are right.
    pub precision: f64,
    /// Share of the entities that were found.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Number of entities of this type in the references.
    pub support: u64,
}

/// Why predictions could not be scored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetricsError {
    /// There is nothing to score.
    #[error("there are no sentences with tokens to score; a metric needs at least one")]
    Empty,
    /// Predictions and references do not pair up.
    #[error(
        "{predictions} predicted sentences cannot be scored against {references} references; give one reference for each"
    )]
    SentenceCount {
        /// Number of predicted sentences.
        predictions: usize,
        /// Number of references.
        references: usize,
    },
    /// A sentence does not have one prediction for each token.
    #[error("sentence {sentence} has {predictions} predicted tags for {references} tokens")]
    TokenCount {
        /// Position of the sentence, from 0.
        sentence: usize,
        /// Number of predicted tags.
        predictions: usize,
        /// Number of reference tags.
        references: usize,
    },
    /// A tag that the strict mode does not allow.
    #[error(
        "tag {tag:?} (token {index}) is not of the scheme {scheme:?}; score in the default mode, or convert the tags"
    )]
    NotOfScheme {
        /// Position in the sentence, from 0.
        index: usize,
        /// The tag.
        tag: String,
        /// The scheme.
        scheme: Scheme,
    },
}

/// Scores the tags of sentences in the default mode, and in the strict mode when a scheme is given.
///
/// # Errors
///
/// Unequal numbers of sentences or tokens, no token at all, or with a scheme a tag that is not of it.
pub fn evaluate<S: AsRef<str>>(
    predictions: &[Vec<S>],
    references: &[Vec<S>],
    scheme: Option<Scheme>,
) -> Result<EntityMetrics, MetricsError> {
    check_paired(predictions, references)?;
    let tokens: usize = references.iter().map(Vec::len).sum();
    if tokens == 0 {
        return Err(MetricsError::Empty);
    }
    let pairs = references
        .iter()
        .flatten()
        .zip(predictions.iter().flatten());
    let right = pairs.filter(|(one, other)| one.as_ref() == other.as_ref());
    let strict = scheme.map(|scheme| {
        let scores = scores(predictions, references, |tags| {
            strict_entities(tags, scheme)
        })?;
        Ok(StrictScores { scheme, scores })
    });
    Ok(EntityMetrics {
        sentences: references.len(),
        tokens,
        accuracy: right.count() as f64 / tokens as f64,
        default: scores(predictions, references, |tags| Ok(entities(tags)))?,
        strict: strict.transpose()?,
    })
}

fn check_paired<S>(predictions: &[Vec<S>], references: &[Vec<S>]) -> Result<(), MetricsError> {
    if predictions.len() != references.len() {
        return Err(MetricsError::SentenceCount {
            predictions: predictions.len(),
            references: references.len(),
        });
    }
    let mut pairs = predictions.iter().zip(references);
    match pairs.position(|(one, other)| one.len() != other.len()) {
        None => Ok(()),
        Some(sentence) => Err(MetricsError::TokenCount {
            sentence,
            predictions: predictions[sentence].len(),
            references: references[sentence].len(),
        }),
    }
}

/// The counts that precision and recall are made of.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    found: u64,
    predicted: u64,
    actual: u64,
}

fn scores<'a, S: AsRef<str>>(
    predictions: &'a [Vec<S>],
    references: &'a [Vec<S>],
    read: impl Fn(&'a [S]) -> Result<Vec<Span<'a>>, MetricsError>,
) -> Result<EntityScores, MetricsError> {
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for (predicted, actual) in predictions.iter().zip(references) {
        let predicted: BTreeSet<Span<'_>> = read(predicted)?.into_iter().collect();
        let actual: BTreeSet<Span<'_>> = read(actual)?.into_iter().collect();
        for span in &actual {
            tallies.entry(span.entity_type).or_default().actual += 1;
        }
        for span in &predicted {
            let tally = tallies.entry(span.entity_type).or_default();
            tally.predicted += 1;
            tally.found += u64::from(actual.contains(span));
        }
    }
    Ok(averaged(&tallies))
}

fn averaged(tallies: &BTreeMap<&str, Tally>) -> EntityScores {
    let all = tallies.values().fold(Tally::default(), |sum, tally| Tally {
        found: sum.found + tally.found,
        predicted: sum.predicted + tally.predicted,
        actual: sum.actual + tally.actual,
    });
    let per_type: BTreeMap<String, TypeScores> = tallies
        .iter()
        .map(|(kind, tally)| ((*kind).to_owned(), tally.scores()))
        .collect();
    let column = |score: fn(&TypeScores) -> f64| per_type.values().map(score).collect::<Vec<_>>();
    let types = [
        column(|scores| scores.precision),
        column(|scores| scores.recall),
        column(|scores| scores.f1),
    ];
    let supports = column(|scores| scores.support as f64);
    let ones = vec![1.0; per_type.len()];
    let [precision_macro, recall_macro, f1_macro] = types.each_ref().map(|v| mean(v, &ones));
    let [precision_weighted, recall_weighted, f1_weighted] =
        types.each_ref().map(|v| mean(v, &supports));
    let micro = all.scores();
    EntityScores {
        precision: micro.precision,
        recall: micro.recall,
        f1: micro.f1,
        precision_macro,
        recall_macro,
        f1_macro,
        precision_weighted,
        recall_weighted,
        f1_weighted,
        support: all.actual,
        per_type,
    }
}

impl Tally {
    fn scores(self) -> TypeScores {
        let precision = ratio(self.found as f64, self.predicted as f64);
        let recall = ratio(self.found as f64, self.actual as f64);
        TypeScores {
            precision,
            recall,
            // The order of these operations is seqeval's, so that the last digit is too.
            f1: ratio(2.0 * precision * recall, precision + recall),
            support: self.actual,
        }
    }
}

fn mean(values: &[f64], weights: &[f64]) -> f64 {
    let weighted: Vec<f64> = values.iter().zip(weights).map(|(v, w)| v * w).collect();
    ratio(pairwise_sum(&weighted), pairwise_sum(weights))
}

fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 {
        0.0
    } else {
        numerator / denominator
    }
}

/// The order in which NumPy adds: eight running sums, over halves when there are more than 128 values.
fn pairwise_sum(values: &[f64]) -> f64 {
    match values.len() {
        0..8 => values.iter().sum(),
        8..=128 => {
            let (blocks, rest) = values.as_chunks::<8>();
            let sums = blocks.iter().fold([0.0; 8], |sums, block| {
                std::array::from_fn(|lane| sums[lane] + block[lane])
            });
            let [a, b, c, d, e, f, g, h] = sums;
            let sum: f64 = ((a + b) + (c + d)) + ((e + f) + (g + h));
            rest.iter().fold(sum, |sum, value| sum + value)
        }
        length => {
            let (first, second) = values.split_at(length / 2 / 8 * 8);
            pairwise_sum(first) + pairwise_sum(second)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NumPy 2.4.6: `numpy.sum(1 / numpy.arange(1, n + 1))`. Adding one by one gives another last digit from 128 on.
    #[test]
    fn sums_are_those_of_numpy_to_the_last_digit() {
        for (count, expected) in [
            (7, 2.5928571428571425),
            (8, 2.7178571428571425),
            (15, 3.3182289932289937),
            (128, 5.433147092589173),
            (129, 5.440899030573669),
            (150, 5.591180588643879),
            (300, 6.282663880299504),
            (1000, 7.485470860550345),
        ] {
            let values: Vec<f64> = (1..=count).map(|one| 1.0 / f64::from(one)).collect();
            assert_eq!(pairwise_sum(&values), expected, "{count} values");
        }
    }
}
