//! An exponential moving average.

/// The weight of the past in each new value: the mean covers about the last 20 values.
const DECAY: f64 = 0.95;

/// Exponential moving average, corrected for its start at zero as Adam's moments are.
#[derive(Debug, Default)]
pub(crate) struct Smoothed {
    sum: f64,
    weight: f64,
}

impl Smoothed {
    /// Adds a value and returns the mean.
    pub(crate) fn add(&mut self, value: f64) -> f64 {
        self.sum = DECAY * self.sum + (1.0 - DECAY) * value;
        self.weight = DECAY * self.weight + (1.0 - DECAY);
        self.sum / self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_is_the_first_mean_and_constants_stay() {
        let mut smoothed = Smoothed::default();
        for _ in 0..50 {
            assert!((smoothed.add(0.7) - 0.7).abs() < 1e-12);
        }
        assert!(smoothed.add(1.7) < 0.8);
    }
}
