//! Scores of predictions against what was masked or paired, as plain functions over slices.

use serde::Serialize;

/// The figures of masked language modelling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MaskedLmMetrics {
    /// e to the mean loss of a masked token; infinite (JSON `null`) where that is beyond a double.
    pub perplexity: f64,
    /// Share of the masked tokens whose most probable prediction is right.
    pub accuracy: f64,
    /// Tokens that were scored.
    pub masked_tokens: usize,
}

/// The figures of next sentence prediction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NextSentenceMetrics {
    /// Share of the pairs whose class is right.
    pub next_sentence_accuracy: f64,
}

/// Why predictions could not be scored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricsError {
    /// There is nothing to score.
    #[error("there is no {what} to score; a metric needs at least one")]
    Empty {
        /// `masked token` or `pair`.
        what: &'static str,
    },
    /// Predictions and references do not pair up.
    #[error(
        "{predictions} predictions cannot be scored against {references} references; give one reference for each prediction"
    )]
    LengthMismatch {
        /// Number of predictions.
        predictions: usize,
        /// Number of references.
        references: usize,
    },
}

/// Scores predicted tokens; `mean_loss` is the mean cross-entropy of a masked token.
///
/// # Errors
///
/// There are no tokens, or not one reference for each prediction.
pub fn evaluate_masked_lm(
    predicted: &[u32],
    references: &[u32],
    mean_loss: f64,
) -> Result<MaskedLmMetrics, MetricsError> {
    Ok(MaskedLmMetrics {
        perplexity: mean_loss.exp(),
        accuracy: share_right(predicted, references, "masked token")?,
        masked_tokens: references.len(),
    })
}

/// Scores, of pairs, whether the second text follows the first.
///
/// # Errors
///
/// There are no pairs, or not one reference for each prediction.
pub fn evaluate_next_sentence(
    predicted: &[bool],
    references: &[bool],
) -> Result<NextSentenceMetrics, MetricsError> {
    Ok(NextSentenceMetrics {
        next_sentence_accuracy: share_right(predicted, references, "pair")?,
    })
}

fn share_right<T: PartialEq>(
    predicted: &[T],
    references: &[T],
    what: &'static str,
) -> Result<f64, MetricsError> {
    if predicted.len() != references.len() {
        return Err(MetricsError::LengthMismatch {
            predictions: predicted.len(),
            references: references.len(),
        });
    }
    if references.is_empty() {
        return Err(MetricsError::Empty { what });
    }
    let pairs = predicted.iter().zip(references);
    let right = pairs
        .filter(|(predicted, reference)| predicted == reference)
        .count();
    Ok(right as f64 / references.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perplexity_is_e_to_the_mean_loss() {
        let found = evaluate_masked_lm(&[4, 5, 6], &[4, 0, 6], 8.0_f64.ln()).unwrap();
        assert!((found.perplexity - 8.0).abs() < 1e-12);
        assert!((found.accuracy - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(found.masked_tokens, 3);
    }

    #[test]
    fn nothing_to_score_and_unpaired_predictions_are_errors() {
        let empty = evaluate_masked_lm(&[], &[], 0.0).unwrap_err();
        assert!(empty.to_string().contains("no masked token"), "{empty}");
        let unpaired = evaluate_next_sentence(&[true], &[]).unwrap_err();
        assert_eq!(
            unpaired,
            MetricsError::LengthMismatch {
                predictions: 1,
                references: 0
            }
        );
    }
}
