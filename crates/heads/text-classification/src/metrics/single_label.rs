//! Scores of predictions that name one label for each example.

use serde::{Deserialize, Serialize};

use super::{Average, ConfusionMatrix, MetricsError};

/// What `bert evaluate` reports for single-label classification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassificationMetrics {
    /// Number of examples scored.
    pub examples: usize,
    /// Share of examples whose prediction is the reference.
    pub accuracy: f64,
    /// With two labels the F1 of label 1, as GLUE reports it; with any other number the same as `f1_macro`.
    pub f1: f64,
    /// Unweighted mean of the labels' F1.
    pub f1_macro: f64,
    /// F1 of all labels' counts together; for one label an example it equals `accuracy`.
    pub f1_micro: f64,
    /// Mean of the labels' F1, weighted by how often each is the reference.
    pub f1_weighted: f64,
    /// Precision, averaged as `f1` is.
    pub precision: f64,
    /// Recall, averaged as `f1` is.
    pub recall: f64,
    /// Matthews correlation coefficient, from -1 to 1.
    pub matthews_correlation: f64,
}

/// Scores label ids below `num_labels`.
///
/// # Errors
/// Unequal lengths, no examples, or a label id that is not below `num_labels`.
pub fn evaluate_single_label(
    predictions: &[usize],
    references: &[usize],
    num_labels: usize,
) -> Result<ClassificationMetrics, MetricsError> {
    let matrix = ConfusionMatrix::new(predictions, references, num_labels)?;
    let average = if num_labels == 2 {
        Average::Binary
    } else {
        Average::Macro
    };
    Ok(ClassificationMetrics {
        examples: predictions.len(),
        accuracy: matrix.accuracy(),
        f1: matrix.f1(average),
        f1_macro: matrix.f1(Average::Macro),
        f1_micro: matrix.f1(Average::Micro),
        f1_weighted: matrix.f1(Average::Weighted),
        precision: matrix.precision(average),
        recall: matrix.recall(average),
        matthews_correlation: matrix.matthews_correlation(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::MetricsError;

    #[track_caller]
    fn assert_close(actual: f64, expected: f64) {
        assert!(
            (actual - expected).abs() < 1e-12,
            "{actual} is not {expected}"
        );
    }

    // scikit-learn 1.9.1: `accuracy_score`, `precision_score`, `recall_score`, `f1_score` (also with
    // `average="macro"` and `"weighted"`) and `matthews_corrcoef` on these two lists.
    #[test]
    fn two_labels_are_scored_on_label_one() {
        let metrics = evaluate_single_label(
            &[1, 0, 0, 1, 1, 0, 1, 0, 0, 1],
            &[1, 0, 1, 1, 0, 0, 1, 0, 1, 1],
            2,
        )
        .expect("valid input");
        assert_eq!(metrics.examples, 10);
        assert_close(metrics.accuracy, 0.7);
        assert_close(metrics.precision, 0.8);
        assert_close(metrics.recall, 0.666_666_666_666_666_6);
        assert_close(metrics.f1, 0.727_272_727_272_727_3);
        assert_close(metrics.f1_macro, 0.696_969_696_969_697);
        assert_close(metrics.f1_micro, 0.7);
        assert_close(metrics.f1_weighted, 0.703_030_303_030_302_9);
        assert_close(metrics.matthews_correlation, 0.408_248_290_463_863);
    }

    #[test]
    fn more_labels_are_scored_by_the_macro_mean() {
        let metrics = evaluate_single_label(&[0, 1, 2, 1], &[0, 2, 2, 1], 3).expect("valid input");
        assert_eq!(metrics.f1, metrics.f1_macro);
        assert_eq!(metrics.f1_micro, metrics.accuracy);
    }

    // The same calls with `zero_division=0`: precision, recall and F1 of a label that is never predicted are 0,
    // and so is the correlation with a constant.
    #[test]
    fn predictions_that_never_say_one_score_zero_and_not_nan() {
        let metrics = evaluate_single_label(&[0; 4], &[1, 0, 1, 0], 2).expect("valid input");
        assert_eq!(
            (metrics.precision, metrics.recall, metrics.f1),
            (0.0, 0.0, 0.0)
        );
        assert_close(metrics.f1_macro, 0.333_333_333_333_333_3);
        assert_eq!(metrics.matthews_correlation, 0.0);
    }

    // scikit-learn averages over the labels that occur: f1_score gives 0 for label 1 and 1 for `average="macro"`.
    #[test]
    fn a_label_that_occurs_nowhere_stays_out_of_the_macro_mean() {
        let metrics = evaluate_single_label(&[0; 3], &[0; 3], 2).expect("valid input");
        assert_eq!((metrics.f1, metrics.f1_macro), (0.0, 1.0));
    }

    #[test]
    fn nothing_to_score_and_unpaired_input_are_errors() {
        assert_eq!(evaluate_single_label(&[], &[], 2), Err(MetricsError::Empty));
        assert_eq!(
            evaluate_single_label(&[1], &[1, 0], 2),
            Err(MetricsError::LengthMismatch {
                predictions: 1,
                references: 2
            })
        );
    }
}
