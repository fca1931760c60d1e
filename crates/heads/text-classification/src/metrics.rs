//! Scores of predictions against references, as plain functions over slices.
//!
//! Every number equals what scikit-learn (classification) and scipy (correlation) give for the same input, with one
//! reading of the cases they only warn about: a ratio whose denominator is zero is 0, a correlation that is not
//! defined is `None` (JSON `null`) and never NaN.

mod by_label;
mod confusion;
mod multi_label;
mod regression;
mod single_label;

pub use by_label::{LabelMetrics, evaluate_by_label};
pub use confusion::{Average, ConfusionMatrix, LabelScores};
pub use multi_label::{MultiLabelMetrics, evaluate_multi_label, multi_hot};
pub use regression::{
    RegressionMetrics, evaluate_regression, mean_squared_error, pearson, spearman,
};
pub use single_label::{ClassificationMetrics, evaluate_single_label};

/// Which side of the comparison a message speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What the model said.
    Prediction,
    /// What the data says.
    Reference,
}

impl std::fmt::Display for Side {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Prediction => "prediction",
            Self::Reference => "reference",
        })
    }
}

/// Why predictions could not be scored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricsError {
    /// There is nothing to score.
    #[error("there are no examples to score; a metric needs at least one")]
    Empty,
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
    /// A label id that the model does not have.
    #[error(
        "{side} {index} is label {label}, but the labels are numbered 0 to {} (num_labels = {num_labels})", .num_labels.saturating_sub(1)
    )]
    LabelOutOfRange {
        /// Where it was found.
        side: Side,
        /// Position of the example.
        index: usize,
        /// The id found there.
        label: usize,
        /// Number of labels the model has.
        num_labels: usize,
    },
    /// A flat multi-hot slice that does not divide into rows.
    #[error(
        "{length} multi-hot values do not divide into rows of {num_labels} labels; give num_labels values for each example"
    )]
    RaggedRows {
        /// Number of values given.
        length: usize,
        /// Number of labels the model has.
        num_labels: usize,
    },
    /// A value that no metric is defined on.
    #[error("{side} {index} is {value}; only finite numbers can be scored")]
    NonFinite {
        /// Where it was found.
        side: Side,
        /// Position of the value.
        index: usize,
        /// The value found there.
        value: f32,
    },
}

/// Refuses an empty or unpaired comparison.
fn check_paired(predictions: usize, references: usize) -> Result<(), MetricsError> {
    if predictions != references {
        return Err(MetricsError::LengthMismatch {
            predictions,
            references,
        });
    }
    if predictions == 0 {
        return Err(MetricsError::Empty);
    }
    Ok(())
}

/// Refuses NaN and infinities, naming the first.
fn check_finite(side: Side, values: &[f32]) -> Result<(), MetricsError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => Err(MetricsError::NonFinite {
            side,
            index,
            value: values[index],
        }),
    }
}

/// `numerator / denominator`, with 0 for a zero denominator: scikit-learn's `zero_division=0`.
fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 {
        0.0
    } else {
        numerator / denominator
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_side_the_place_and_what_was_expected() {
        let error = MetricsError::LabelOutOfRange {
            side: Side::Reference,
            index: 4,
            label: 7,
            num_labels: 3,
        };
        assert_eq!(
            error.to_string(),
            "reference 4 is label 7, but the labels are numbered 0 to 2 (num_labels = 3)"
        );
    }

    #[test]
    fn an_unpaired_comparison_is_reported_before_an_empty_one() {
        assert_eq!(
            check_paired(0, 2),
            Err(MetricsError::LengthMismatch {
                predictions: 0,
                references: 2
            })
        );
        assert_eq!(check_paired(0, 0), Err(MetricsError::Empty));
    }
}
