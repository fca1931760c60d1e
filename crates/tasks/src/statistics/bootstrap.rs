use rand::rngs::ChaCha12Rng;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;
use serde::Serialize;

/// The interval that holds this share of the resamples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The results of `statistic` on `resamples` draws of `units` numbers out of 0..`units`, with replacement: the bootstrap
/// (Efron 1979, <https://doi.org/10.1214/aos/1176344552>). Each draw has a random stream of its own, so the results depend
/// neither on the number of threads nor on how many draws there are behind them.
///
/// # Errors
///
/// The first error of `statistic`.
pub fn resamples<T: Send, E: Send>(
    units: usize,
    resamples: usize,
    seed: u64,
    statistic: impl Fn(&[usize]) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let draw = |index: usize| {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        random.set_stream(index as u64);
        let rows: Vec<usize> = (0..units).map(|_| random.random_range(0..units)).collect();
        statistic(&rows)
    };
    (0..resamples).into_par_iter().map(draw).collect()
}

/// The percentile interval that holds the share `level` of some values: the quantiles at both ends, interpolated in a line as
/// `numpy.percentile` does. `None` without a finite value.
pub fn percentile_interval(values: &[f64], level: f64) -> Option<Interval> {
    let mut sorted: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    sorted.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    Some(Interval {
        low: quantile(&sorted, tail)?,
        high: quantile(&sorted, 1.0 - tail)?,
    })
}

fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    Some(sorted[below] + (sorted[above] - sorted[below]) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_what_theory_says() {
        // 300 of 400 are right: the standard error of the share is sqrt(0.75 · 0.25 / 400).
        let mean = |rows: &[usize]| {
            let right = rows.iter().filter(|&&row| row < 300).count();
            Ok::<_, ()>(right as f64 / rows.len() as f64)
        };
        let means = resamples(400, 4000, 42, mean).expect("no errors");
        let interval = percentile_interval(&means, 0.95).expect("values");
        let half = 1.96 * (0.75_f64 * 0.25 / 400.0).sqrt();
        assert!((interval.low - (0.75 - half)).abs() < 0.004, "{interval:?}");
        assert!(
            (interval.high - (0.75 + half)).abs() < 0.004,
            "{interval:?}"
        );
        assert_eq!(means, resamples(400, 4000, 42, mean).expect("no errors"));
        assert_eq!(
            means[..7],
            resamples(400, 7, 42, mean).expect("no errors")[..]
        );
        assert_ne!(means, resamples(400, 4000, 43, mean).expect("no errors"));
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.percentile([1, 2, 4, 8, 16], [2.5, 97.5])
        let interval = percentile_interval(&[16.0, 1.0, 8.0, 2.0, 4.0, f64::NAN], 0.95);
        let interval = interval.expect("values");
        assert!((interval.low - 1.1).abs() < 1e-12 && (interval.high - 15.2).abs() < 1e-12);
        assert_eq!(percentile_interval(&[f64::NAN], 0.95), None);
    }
}
