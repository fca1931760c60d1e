use serde::{Deserialize, Serialize};

/// Bins of equal width between 0 and 1; ten, as most papers draw it.
const BINS: usize = 10;

/// How far the confidence of predictions agrees with how often they are right (Guo et al. 2017, "On Calibration of Modern
/// Neural Networks").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// What one prediction is: `prediction`, `word`, `label`.
    pub unit: String,
    /// Predictions by confidence, from 0 to 1 in equal steps.
    pub bins: Vec<ReliabilityBin>,
    /// Mean distance of confidence and share that is right, weighted by the bins' counts.
    pub expected_calibration_error: f64,
}

/// The predictions whose confidence lies in one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Number of predictions.
    pub count: u64,
    /// Their mean confidence; 0 without any.
    pub confidence: f64,
    /// The share of them that is right; 0 without any.
    pub accuracy: f64,
}

impl Reliability {
    /// Bins pairs of a confidence and whether the prediction was right; `None` without any. A confidence that is no number
    /// is left out.
    pub fn of(unit: &str, predictions: impl IntoIterator<Item = (f64, bool)>) -> Option<Self> {
        let mut bins = vec![ReliabilityBin::default(); BINS];
        for (confidence, right) in predictions {
            if confidence.is_nan() {
                continue;
            }
            let confidence = confidence.clamp(0.0, 1.0);
            let bin = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
            bin.count += 1;
            bin.confidence += confidence;
            bin.accuracy += f64::from(u8::from(right));
        }
        let all: u64 = bins.iter().map(|bin| bin.count).sum();
        if all == 0 {
            return None;
        }
        let mut error = 0.0;
        for bin in bins.iter_mut().filter(|bin| bin.count > 0) {
            let count = bin.count as f64;
            error += (bin.confidence - bin.accuracy).abs() / all as f64;
            bin.confidence /= count;
            bin.accuracy /= count;
        }
        Some(Self {
            unit: unit.to_owned(),
            bins,
            expected_calibration_error: error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_the_weighted_distance_of_confidence_and_accuracy() {
        // Bin 9: confidence 0.95, all right; bin 6: confidence 0.6, half right.
        let predictions = [(0.9, true), (1.0, true), (0.6, true), (0.6, false)];
        let reliability = Reliability::of("prediction", predictions).unwrap();
        assert_eq!(reliability.bins.len(), BINS);
        assert_eq!(reliability.bins[9].count, 2);
        assert!((reliability.bins[9].confidence - 0.95).abs() < 1e-12);
        assert_eq!(reliability.bins[6].accuracy, 0.5);
        let expected = 0.5 * 0.05 + 0.5 * 0.1;
        assert!((reliability.expected_calibration_error - expected).abs() < 1e-12);
    }

    #[test]
    fn nothing_has_no_reliability() {
        assert_eq!(Reliability::of("word", []), None);
        assert_eq!(Reliability::of("word", [(f64::NAN, true)]), None);
    }
}
