//! Scores of each label, and which labels are taken for which.

use serde::{Deserialize, Serialize};

use super::{Average, ConfusionMatrix, LabelScores, MetricsError};

/// What is reported where each label matters, as in natural-language inference. Lists have one entry a label, in id order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelMetrics {
    /// Number of examples scored.
    pub examples: usize,
    /// Share of examples whose prediction is the reference.
    pub accuracy: f64,
    /// Unweighted mean of the labels' F1, over the labels that occur.
    pub f1_macro: f64,
    /// The scores of each label.
    pub labels: Vec<LabelScores>,
    /// `[reference][prediction]`: how often each reference met each prediction.
    pub confusion: Vec<Vec<u64>>,
}

/// Scores label ids below `num_labels`.
///
/// # Errors
/// Unequal lengths, no examples, or a label id that is not below `num_labels`.
pub fn evaluate_by_label(
    predictions: &[usize],
    references: &[usize],
    num_labels: usize,
) -> Result<LabelMetrics, MetricsError> {
    let matrix = ConfusionMatrix::new(predictions, references, num_labels)?;
    let row = |reference| {
        (0..num_labels)
            .map(|id| matrix.count(reference, id))
            .collect()
    };
    Ok(LabelMetrics {
        examples: predictions.len(),
        accuracy: matrix.accuracy(),
        f1_macro: matrix.f1(Average::Macro),
        labels: (0..num_labels).map(|id| matrix.label_scores(id)).collect(),
        confusion: (0..num_labels).map(row).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_confusion_table_has_a_row_a_reference_and_a_column_a_prediction() {
        let references = [0, 0, 0, 1, 1, 2, 2, 2];
        let predictions = [0, 0, 1, 1, 1, 2, 0, 1];
        let metrics = evaluate_by_label(&predictions, &references, 3).expect("valid input");
        assert_eq!(
            metrics.confusion,
            [[2, 1, 0], [0, 2, 0], [1, 1, 1]].map(Vec::from)
        );
        assert_eq!((metrics.examples, metrics.accuracy), (8, 0.625));
        let middle = metrics.labels[1];
        assert_eq!(
            (middle.precision, middle.recall, middle.support),
            (0.5, 1.0, 2)
        );
        assert!((middle.f1 - 2.0 / 3.0).abs() < 1e-12);
        assert!((metrics.f1_macro - (2.0 / 3.0 + 2.0 / 3.0 + 0.5) / 3.0).abs() < 1e-12);
    }
}
