//! Scores of predictions that are numbers.

use serde::{Deserialize, Serialize};

use super::{MetricsError, Side, check_finite, check_paired};

/// What `bert evaluate` reports for regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegressionMetrics {
    /// Number of examples scored.
    pub examples: usize,
    /// Pearson's correlation; `None` where it is not defined (one example, or a side that never varies).
    pub pearson: Option<f64>,
    /// Spearman's rank correlation; `None` where it is not defined.
    pub spearman: Option<f64>,
    /// Mean squared error.
    pub mse: f64,
}

/// Scores predicted numbers.
///
/// # Errors
/// Unequal lengths, no examples, or a number that is not finite.
pub fn evaluate_regression(
    predictions: &[f32],
    references: &[f32],
) -> Result<RegressionMetrics, MetricsError> {
    Ok(RegressionMetrics {
        examples: predictions.len(),
        pearson: pearson(predictions, references)?,
        spearman: spearman(predictions, references)?,
        mse: mean_squared_error(predictions, references)?,
    })
}

/// Mean of the squared differences.
///
/// # Errors
/// Unequal lengths, no examples, or a number that is not finite.
pub fn mean_squared_error(predictions: &[f32], references: &[f32]) -> Result<f64, MetricsError> {
    check_numbers(predictions, references)?;
    let squares = predictions
        .iter()
        .zip(references)
        .map(|(&prediction, &reference)| (f64::from(prediction) - f64::from(reference)).powi(2));
    Ok(squares.sum::<f64>() / predictions.len() as f64)
}

/// Pearson's correlation, `None` when either side is constant: scipy gives NaN there.
///
/// # Errors
/// Unequal lengths, no examples, or a number that is not finite.
pub fn pearson(predictions: &[f32], references: &[f32]) -> Result<Option<f64>, MetricsError> {
    check_numbers(predictions, references)?;
    Ok(correlation(&widened(predictions), &widened(references)))
}

/// Spearman's rank correlation, tied values sharing the mean of their ranks; `None` when either side is constant.
///
/// # Errors
/// Unequal lengths, no examples, or a number that is not finite.
pub fn spearman(predictions: &[f32], references: &[f32]) -> Result<Option<f64>, MetricsError> {
    check_numbers(predictions, references)?;
    Ok(correlation(
        &average_ranks(predictions),
        &average_ranks(references),
    ))
}

fn check_numbers(predictions: &[f32], references: &[f32]) -> Result<(), MetricsError> {
    check_paired(predictions.len(), references.len())?;
    check_finite(Side::Prediction, predictions)?;
    check_finite(Side::Reference, references)
}

fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Both sides are centred and scaled to length 1 before the product, so that no square overflows.
fn correlation(left: &[f64], right: &[f64]) -> Option<f64> {
    let (left, right) = (normalised(left)?, normalised(right)?);
    let product: f64 = left.iter().zip(&right).map(|(l, r)| l * r).sum();
    // Rounding can leave the interval by one unit in the last place.
    Some(product.clamp(-1.0, 1.0))
}

/// `None` for a constant side, which is told by its values: the rounded mean may leave a difference. Of any other the
/// norm is above 0, because the values are those of `f32` or ranks, and their squares do not underflow.
fn normalised(values: &[f64]) -> Option<Vec<f64>> {
    if values.iter().all(|value| value == &values[0]) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let norm = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        .sqrt();
    Some(values.iter().map(|value| (value - mean) / norm).collect())
}

/// Ranks from 1, equal values sharing the mean of the ranks they cover.
fn average_ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&left, &right| values[left].total_cmp(&values[right]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for run in order.chunk_by(|&left, &right| values[left] == values[right]) {
        let last = first + run.len() - 1;
        let shared = (first + last) as f64 / 2.0 + 1.0;
        for &index in run {
            ranks[index] = shared;
        }
        first = last + 1;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREDICTIONS: [f32; 6] = [0.5, 2.25, 2.25, -1.0, 4.0, 3.5];
    const REFERENCES: [f32; 6] = [1.0, 2.0, 3.0, -0.5, 3.0, 5.0];

    // scipy 1.17.1 `pearsonr`, `spearmanr` and scikit-learn 1.9.1 `mean_squared_error` on these two lists, both of
    // which hold a tie.
    #[test]
    fn numbers_are_scored_as_scipy_does() {
        let metrics = evaluate_regression(&PREDICTIONS, &REFERENCES).expect("valid input");
        assert_eq!(metrics.examples, 6);
        let pearson = metrics.pearson.expect("both sides vary");
        let spearman = metrics.spearman.expect("both sides vary");
        assert!((pearson - 0.895_447_450_132_814_2).abs() < 1e-12);
        assert!((spearman - 0.867_647_058_823_529_4).abs() < 1e-12);
        assert!((metrics.mse - 0.729_166_666_666_666_6).abs() < 1e-12);
    }

    #[test]
    fn tied_values_share_the_mean_of_their_ranks() {
        assert_eq!(
            average_ranks(&[3.0, 1.0, 3.0, -0.0, 0.0, 3.0]),
            [5.0, 3.0, 5.0, 1.5, 1.5, 5.0]
        );
    }

    #[test]
    fn a_side_that_never_varies_has_no_correlation() {
        // 0.1 has no exact mean, so this is not found by comparing a computed variance with 0.
        let metrics = evaluate_regression(&[0.1; 7], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
            .expect("valid input");
        assert_eq!((metrics.pearson, metrics.spearman), (None, None));
        assert_eq!(pearson(&[1.0], &[1.0]), Ok(None));
    }

    #[test]
    fn a_line_correlates_with_itself_and_against_its_reverse() {
        let reversed: Vec<f32> = PREDICTIONS.iter().map(|value| -value).collect();
        for (other, expected) in [(&PREDICTIONS[..], 1.0), (&reversed[..], -1.0)] {
            let pearson = pearson(&PREDICTIONS, other).expect("valid input");
            let spearman = spearman(&PREDICTIONS, other).expect("valid input");
            for correlation in [pearson, spearman] {
                let correlation: f64 = correlation.expect("both sides vary");
                assert!((correlation - expected).abs() < 1e-12);
                assert!((-1.0..=1.0).contains(&correlation));
            }
        }
    }

    #[test]
    fn a_number_that_is_not_finite_is_named() {
        assert_eq!(
            mean_squared_error(&[1.0, 2.0], &[1.0, f32::INFINITY]),
            Err(MetricsError::NonFinite {
                side: Side::Reference,
                index: 1,
                value: f32::INFINITY
            })
        );
        assert_eq!(pearson(&[], &[]), Err(MetricsError::Empty));
    }
}
