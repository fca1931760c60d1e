//! Scores of predicted labels.

use bert_text_classification::metrics::{Average, ConfusionMatrix, LabelScores, MetricsError};
use serde::{Deserialize, Serialize};

/// What is reported for natural-language inference. Lists have one entry a label, in id order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NliMetrics {
    /// Number of pairs scored.
    pub examples: usize,
    /// Share of pairs whose prediction is the reference.
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
pub fn evaluate(
    predictions: &[usize],
    references: &[usize],
    num_labels: usize,
) -> Result<NliMetrics, MetricsError> {
    let matrix = ConfusionMatrix::new(predictions, references, num_labels)?;
    let row = |reference| {
        (0..num_labels)
            .map(|id| matrix.count(reference, id))
            .collect()
    };
    Ok(NliMetrics {
        examples: predictions.len(),
        accuracy: matrix.accuracy(),
        f1_macro: matrix.f1(Average::Macro),
        labels: (0..num_labels).map(|id| matrix.label_scores(id)).collect(),
        confusion: (0..num_labels).map(row).collect(),
    })
}
