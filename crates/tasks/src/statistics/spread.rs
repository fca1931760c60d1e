use serde::Serialize;

/// The mean of some numbers and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The sample standard deviation, over n − 1; `None` for a single number.
    pub standard_deviation: Option<f64>,
}

/// The spread of some numbers; `None` where there are none.
pub fn spread(values: &[f64]) -> Option<Spread> {
    let count = values.len();
    let mean = values.iter().sum::<f64>() / count as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (count > 0).then(|| Spread {
        mean,
        standard_deviation: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let found = spread(&[2.0, 4.0, 9.0]).expect("three numbers");
        assert_eq!(found.mean, 5.0);
        assert_eq!(found.standard_deviation, Some(13.0_f64.sqrt()));
        assert_eq!(spread(&[3.0]).expect("one number").standard_deviation, None);
        assert_eq!(spread(&[]), None);
    }
}
