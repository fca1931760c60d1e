use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::Reliability;

/// Examples that are kept with their text.
const WORST: usize = 20;
/// Characters that are kept of a text.
const SHOWN_CHARACTERS: usize = 600;

/// What single predictions tell about a model beyond the figures of an evaluation. Its size does not grow with the data.
/// A task fills in what it has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Examination {
    /// The names of the classes in id order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// How often which class was predicted for which, where each example has one class. Pairs that never occur are left
    /// out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub confusion: Vec<ConfusionCount>,
    /// One entry a class, where an example may have several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label_counts: Vec<LabelCounts>,
    /// Pairs of reference and prediction, where predictions are numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scatter: Vec<[f32; 2]>,
    /// Confidence against correctness, where predictions are probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reliability: Option<Reliability>,
    /// The examples with the highest loss, the highest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub worst: Vec<WorstExample>,
}

/// How often one class was predicted for one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionCount {
    /// Id of the true class.
    pub reference: usize,
    /// Id of the predicted class.
    pub prediction: usize,
    /// How often.
    pub count: u64,
}

/// The predictions of a class among several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelCounts {
    /// Predicted and true.
    pub true_positives: u64,
    /// Predicted, but not true.
    pub false_positives: u64,
    /// True, but not predicted.
    pub false_negatives: u64,
}

/// An example that the model gets wrong, or right with little confidence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorstExample {
    /// Loss of this example; `None` where it is no number.
    pub loss: Option<f64>,
    /// Where it stands, such as `dev.tsv, line 7`.
    pub place: String,
    /// Its text; long ones are cut.
    pub text: String,
    /// The second text of a pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_pair: Option<String>,
    /// What the data says.
    pub reference: String,
    /// What the model says.
    pub prediction: String,
    /// The model's confidence in its prediction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

impl Examination {
    /// Counts pairs of true and predicted classes.
    pub fn count_confusion(
        references: &[usize],
        predictions: &[usize],
        classes: usize,
    ) -> Vec<ConfusionCount> {
        let mut counts = std::collections::BTreeMap::<(usize, usize), u64>::new();
        for (&reference, &prediction) in references.iter().zip(predictions) {
            if reference < classes && prediction < classes {
                *counts.entry((reference, prediction)).or_default() += 1;
            }
        }
        let counted = |((reference, prediction), count)| ConfusionCount {
            reference,
            prediction,
            count,
        };
        counts.into_iter().map(counted).collect()
    }

    /// At most a thousand pairs of reference and prediction, evenly from all; pairs that are no numbers are left out.
    pub fn sample_scatter(references: &[f32], predictions: &[f32]) -> Vec<[f32; 2]> {
        const POINTS: usize = 1000;
        let pairs = references.iter().zip(predictions);
        let step = references.len().div_ceil(POINTS).max(1);
        let points = pairs.step_by(step).map(|(&one, &other)| [one, other]);
        points
            .filter(|point| point.iter().all(|value| value.is_finite()))
            .collect()
    }
}

/// The examples with the highest loss, the highest first; of each only its loss and its index are looked at before
/// `describe` is asked for it. A loss that is no number counts as the highest.
pub fn worst(losses: &[f64], describe: impl Fn(usize) -> WorstExample) -> Vec<WorstExample> {
    let key = |index: usize| match losses[index] {
        loss if loss.is_nan() => f64::INFINITY,
        loss => loss,
    };
    let higher = |one: &usize, other: &usize| -> Ordering {
        key(*other).total_cmp(&key(*one)).then(one.cmp(other))
    };
    let mut indices: Vec<usize> = (0..losses.len()).collect();
    if indices.len() > WORST {
        indices.select_nth_unstable_by(WORST, higher);
        indices.truncate(WORST);
    }
    indices.sort_unstable_by(higher);
    let described = indices.into_iter().map(|index| {
        let example = describe(index);
        WorstExample {
            loss: Some(losses[index]).filter(|loss| loss.is_finite()),
            text: shortened(example.text),
            text_pair: example.text_pair.map(shortened),
            reference: shortened(example.reference),
            prediction: shortened(example.prediction),
            ..example
        }
    });
    described.collect()
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_come_first_and_are_few_and_short() {
        let losses: Vec<f64> = (0..100).map(|index| f64::from(index % 50)).collect();
        let found = worst(&losses, |index| WorstExample {
            place: index.to_string(),
            text: "ä".repeat(1000),
            ..WorstExample::default()
        });
        assert_eq!(found.len(), WORST);
        assert_eq!((found[0].loss, &*found[0].place), (Some(49.0), "49"));
        assert_eq!((found[1].loss, &*found[1].place), (Some(49.0), "99"));
        assert_eq!(found[0].text.chars().count(), SHOWN_CHARACTERS + 1);
        assert_eq!(
            worst(&[0.5, f64::NAN], |_| WorstExample::default()).len(),
            2
        );
    }

    #[test]
    fn pairs_of_classes_are_counted() {
        let counts = Examination::count_confusion(&[0, 0, 1, 1], &[0, 1, 1, 1], 2);
        let counts: Vec<_> = counts
            .iter()
            .map(|one| (one.reference, one.prediction, one.count))
            .collect();
        assert_eq!(counts, [(0, 0, 1), (0, 1, 1), (1, 1, 2)]);
    }

    #[test]
    fn a_scatter_has_a_bounded_number_of_points() {
        let values: Vec<f32> = (0..4321).map(|value| value as f32).collect();
        let points = Examination::sample_scatter(&values, &values);
        assert!(points.len() <= 1000 && points.len() > 500);
    }
}
