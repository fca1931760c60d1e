//! Confusion counts of single-label predictions and the scores that follow from them.

use serde::{Deserialize, Serialize};

use super::{MetricsError, Side, check_paired, ratio};

/// How the scores of the labels become one number; the words are scikit-learn's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// The score of label 1 alone.
    Binary,
    /// From the counts of all labels together.
    Micro,
    /// The unweighted mean over the labels that occur among references or predictions.
    Macro,
    /// The mean over labels weighted by how often each is the reference.
    Weighted,
}

/// How often each reference label met each predicted label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    num_labels: usize,
    /// Row-major `[reference, prediction]`.
    counts: Vec<u64>,
}

/// How well one label is told from all others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LabelScores {
    /// Share of the label's predictions that are right.
    pub precision: f64,
    /// Share of its references that were found.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// How often it is the reference.
    pub support: u64,
}

/// The three counts that precision, recall and F1 are made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) true_positives: u64,
    pub(super) predicted: u64,
    pub(super) actual: u64,
}

impl Tally {
    pub(super) fn precision(self) -> f64 {
        ratio(self.true_positives as f64, self.predicted as f64)
    }

    pub(super) fn recall(self) -> f64 {
        ratio(self.true_positives as f64, self.actual as f64)
    }

    pub(super) fn f1(self) -> f64 {
        ratio(
            2.0 * self.true_positives as f64,
            (self.predicted + self.actual) as f64,
        )
    }
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |sum, tally| Self {
            true_positives: sum.true_positives + tally.true_positives,
            predicted: sum.predicted + tally.predicted,
            actual: sum.actual + tally.actual,
        })
    }
}

impl ConfusionMatrix {
    /// Counts label ids below `num_labels`.
    ///
    /// # Errors
    /// Unequal lengths, no examples, or a label id that is not below `num_labels`.
    pub fn new(
        predictions: &[usize],
        references: &[usize],
        num_labels: usize,
    ) -> Result<Self, MetricsError> {
        check_paired(predictions.len(), references.len())?;
        check_labels(Side::Prediction, predictions, num_labels)?;
        check_labels(Side::Reference, references, num_labels)?;
        let mut counts = vec![0; num_labels * num_labels];
        for (prediction, reference) in predictions.iter().zip(references) {
            counts[reference * num_labels + prediction] += 1;
        }
        Ok(Self { num_labels, counts })
    }

    /// How many examples of label `reference` were predicted as `prediction`; 0 for ids the matrix does not have.
    pub fn count(&self, reference: usize, prediction: usize) -> u64 {
        if reference < self.num_labels && prediction < self.num_labels {
            self.counts[reference * self.num_labels + prediction]
        } else {
            0
        }
    }

    /// Number of examples counted.
    pub fn examples(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Share of examples whose prediction is the reference.
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct() as f64, self.examples() as f64)
    }

    /// Share of the predictions of a label that are right.
    pub fn precision(&self, average: Average) -> f64 {
        self.averaged(average, Tally::precision)
    }

    /// Share of the references of a label that were found.
    pub fn recall(&self, average: Average) -> f64 {
        self.averaged(average, Tally::recall)
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self, average: Average) -> f64 {
        self.averaged(average, Tally::f1)
    }

    /// Matthews correlation coefficient in its form for any number of labels (Gorodkin 2004, as in scikit-learn):
    /// 0 when all references or all predictions are one label.
    pub fn matthews_correlation(&self) -> f64 {
        let examples = self.examples() as f64;
        let (mut predicted_actual, mut predicted_squared, mut actual_squared) = (0.0, 0.0, 0.0);
        for tally in self.tallies() {
            let (predicted, actual) = (tally.predicted as f64, tally.actual as f64);
            predicted_actual += predicted * actual;
            predicted_squared += predicted * predicted;
            actual_squared += actual * actual;
        }
        let covariance = self.correct() as f64 * examples - predicted_actual;
        let predicted_variance = examples * examples - predicted_squared;
        let actual_variance = examples * examples - actual_squared;
        ratio(covariance, (predicted_variance * actual_variance).sqrt())
    }

    /// The scores of one label against all others; zeros for an id the matrix does not have.
    pub fn label_scores(&self, label: usize) -> LabelScores {
        let tally = self.tally(label);
        LabelScores {
            precision: tally.precision(),
            recall: tally.recall(),
            f1: tally.f1(),
            support: tally.actual,
        }
    }

    fn correct(&self) -> u64 {
        (0..self.num_labels)
            .map(|label| self.count(label, label))
            .sum()
    }

    fn tally(&self, label: usize) -> Tally {
        Tally {
            true_positives: self.count(label, label),
            predicted: (0..self.num_labels)
                .map(|reference| self.count(reference, label))
                .sum(),
            actual: (0..self.num_labels)
                .map(|prediction| self.count(label, prediction))
                .sum(),
        }
    }

    fn tallies(&self) -> impl Iterator<Item = Tally> {
        (0..self.num_labels).map(|label| self.tally(label))
    }

    fn averaged(&self, average: Average, score: fn(Tally) -> f64) -> f64 {
        match average {
            Average::Binary => score(self.tally(1)),
            Average::Micro => score(self.tallies().sum()),
            Average::Macro => weighted_mean(self.tallies(), score, |tally| {
                f64::from(u8::from(tally.predicted + tally.actual > 0))
            }),
            Average::Weighted => weighted_mean(self.tallies(), score, |tally| tally.actual as f64),
        }
    }
}

fn weighted_mean(
    tallies: impl Iterator<Item = Tally>,
    score: fn(Tally) -> f64,
    weight: fn(Tally) -> f64,
) -> f64 {
    let (sum, weights) = tallies.fold((0.0, 0.0), |(sum, weights), tally| {
        (sum + weight(tally) * score(tally), weights + weight(tally))
    });
    ratio(sum, weights)
}

fn check_labels(side: Side, labels: &[usize], num_labels: usize) -> Result<(), MetricsError> {
    match labels.iter().position(|&label| label >= num_labels) {
        None => Ok(()),
        Some(index) => Err(MetricsError::LabelOutOfRange {
            side,
            index,
            label: labels[index],
            num_labels,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Reference values: scikit-learn 1.9.1, `f1_score`, `precision_score`, `recall_score` with `average=…,
    // zero_division=0`, `accuracy_score` and `matthews_corrcoef` on these two lists. Label 3 occurs nowhere and
    // label 4 is predicted but never the reference.
    const REFERENCES: [usize; 12] = [0, 1, 2, 2, 1, 0, 0, 2, 2, 1, 0, 2];
    const PREDICTIONS: [usize; 12] = [0, 2, 2, 2, 1, 0, 4, 1, 2, 1, 0, 0];

    fn matrix() -> ConfusionMatrix {
        ConfusionMatrix::new(&PREDICTIONS, &REFERENCES, 5).expect("valid labels")
    }

    #[track_caller]
    fn assert_close(actual: f64, expected: f64) {
        assert!(
            (actual - expected).abs() < 1e-12,
            "{actual} is not {expected}"
        );
    }

    #[test]
    fn counts_are_by_reference_then_prediction() {
        let matrix = matrix();
        assert_eq!(matrix.count(0, 4), 1);
        assert_eq!(matrix.count(4, 0), 0);
        assert_eq!(matrix.count(2, 2), 3);
        assert_eq!(matrix.count(1, 5), 0, "not the first of the next row");
        for (reference, prediction) in [(0, 9), (5, 0), (9, 9)] {
            assert_eq!(matrix.count(reference, prediction), 0);
        }
        assert_eq!(matrix.examples(), 12);
    }

    #[test]
    fn scores_of_several_labels_equal_scikit_learn() {
        let matrix = matrix();
        assert_close(matrix.accuracy(), 0.666_666_666_666_666_6);
        assert_close(matrix.matthews_correlation(), 0.520_842_198_506_112_6);
        for (average, precision, recall, f1) in [
            (
                Average::Micro,
                0.666_666_666_666_666_6,
                0.666_666_666_666_666_6,
                0.666_666_666_666_666_6,
            ),
            (
                Average::Macro,
                0.541_666_666_666_666_6,
                0.504_166_666_666_666_7,
                0.520_833_333_333_333_3,
            ),
            (
                Average::Weighted,
                0.729_166_666_666_666_6,
                0.666_666_666_666_666_6,
                0.694_444_444_444_444_3,
            ),
        ] {
            assert_close(matrix.precision(average), precision);
            assert_close(matrix.recall(average), recall);
            assert_close(matrix.f1(average), f1);
        }
    }

    #[test]
    fn an_id_that_the_model_does_not_have_is_named() {
        assert_eq!(
            ConfusionMatrix::new(&[0, 1], &[0, 2], 2),
            Err(MetricsError::LabelOutOfRange {
                side: Side::Reference,
                index: 1,
                label: 2,
                num_labels: 2
            })
        );
    }
}
