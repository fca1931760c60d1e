//! Scores of predictions that accept or refuse every label of each example.

use serde::{Deserialize, Serialize};

use super::confusion::Tally;
use super::{MetricsError, Side, check_finite, check_paired, ratio};

/// What `bert evaluate` reports for multi-label classification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MultiLabelMetrics {
    /// Number of examples scored.
    pub examples: usize,
    /// Subset accuracy: share of examples with every label right.
    pub accuracy: f64,
    /// F1 of all labels' counts together.
    pub f1_micro: f64,
    /// Unweighted mean of the labels' F1, over every label of the model.
    pub f1_macro: f64,
}

/// The labels whose probability `sigmoid(logit)` is above 0.5, that is, whose logit is positive.
///
/// # Errors
/// A logit that is not finite.
pub fn multi_hot(logits: &[f32]) -> Result<Vec<bool>, MetricsError> {
    check_finite(Side::Prediction, logits)?;
    Ok(logits.iter().map(|&logit| logit > 0.0).collect())
}

/// Scores multi-hot rows.
///
/// # Shapes
/// Both slices are row-major `[examples, num_labels]`.
///
/// # Errors
/// Unequal lengths, no examples, or a length that is no multiple of `num_labels`.
pub fn evaluate_multi_label(
    predictions: &[bool],
    references: &[bool],
    num_labels: usize,
) -> Result<MultiLabelMetrics, MetricsError> {
    check_paired(predictions.len(), references.len())?;
    if num_labels == 0 || !predictions.len().is_multiple_of(num_labels) {
        return Err(MetricsError::RaggedRows {
            length: predictions.len(),
            num_labels,
        });
    }
    let examples = predictions.len() / num_labels;
    let exact = predictions
        .chunks_exact(num_labels)
        .zip(references.chunks_exact(num_labels))
        .filter(|(prediction, reference)| prediction == reference)
        .count();
    let tallies: Vec<Tally> = (0..num_labels)
        .map(|label| tally(label, predictions, references, num_labels))
        .collect();
    Ok(MultiLabelMetrics {
        examples,
        accuracy: ratio(exact as f64, examples as f64),
        f1_micro: tallies.iter().copied().sum::<Tally>().f1(),
        f1_macro: tallies.iter().map(|tally| tally.f1()).sum::<f64>() / num_labels as f64,
    })
}

fn tally(label: usize, predictions: &[bool], references: &[bool], num_labels: usize) -> Tally {
    let column = |rows: &[bool]| -> Vec<bool> {
        rows.iter()
            .skip(label)
            .step_by(num_labels)
            .copied()
            .collect()
    };
    let (predicted, actual) = (column(predictions), column(references));
    let count = |column: &[bool]| column.iter().filter(|&&hot| hot).count() as u64;
    Tally {
        true_positives: predicted
            .iter()
            .zip(&actual)
            .filter(|(predicted, actual)| **predicted && **actual)
            .count() as u64,
        predicted: count(&predicted),
        actual: count(&actual),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: [[u8; 4]; 5]) -> Vec<bool> {
        values.iter().flatten().map(|&value| value == 1).collect()
    }

    // scikit-learn 1.9.1: `accuracy_score` and `f1_score(average="micro" | "macro", zero_division=0)` on these two
    // matrices; the last label is never the reference and never predicted.
    #[test]
    fn multi_hot_rows_are_scored_as_scikit_learn_does() {
        let references = rows([
            [1, 0, 1, 0],
            [0, 1, 0, 0],
            [1, 1, 0, 0],
            [0, 0, 0, 0],
            [1, 0, 0, 0],
        ]);
        let predictions = rows([
            [1, 0, 0, 0],
            [0, 1, 0, 0],
            [1, 0, 1, 0],
            [0, 0, 0, 0],
            [0, 0, 0, 0],
        ]);
        let metrics = evaluate_multi_label(&predictions, &references, 4).expect("valid input");
        assert_eq!(metrics.examples, 5);
        assert_eq!(metrics.accuracy, 0.4);
        assert!((metrics.f1_micro - 0.6).abs() < 1e-12);
        assert!((metrics.f1_macro - 0.366_666_666_666_666_7).abs() < 1e-12);
    }

    #[test]
    fn a_label_is_accepted_above_probability_one_half() {
        assert_eq!(multi_hot(&[-0.1, 0.0, 0.1]), Ok(vec![false, false, true]));
        assert!(matches!(
            multi_hot(&[0.0, f32::NAN]),
            Err(MetricsError::NonFinite { index: 1, .. })
        ));
    }

    #[test]
    fn values_that_do_not_divide_into_rows_are_an_error() {
        for num_labels in [0, 2] {
            assert_eq!(
                evaluate_multi_label(&[true; 3], &[true; 3], num_labels),
                Err(MetricsError::RaggedRows {
                    length: 3,
                    num_labels
                })
            );
        }
        assert_eq!(evaluate_multi_label(&[], &[], 3), Err(MetricsError::Empty));
    }
}
