use std::num::NonZeroUsize;
use std::time::Instant;

use anyhow::Result;

/// Draw the weights, fill the caches and grow the heap, so that the timed runs find what a long run finds.
const WARM_UPS: usize = 2;

/// The median of the times that `work` takes, in milliseconds, after two runs that are not timed. What a run returns is
/// given to the next.
pub(crate) fn median_ms<S>(
    runs: NonZeroUsize,
    mut state: S,
    mut work: impl FnMut(S) -> Result<S>,
) -> Result<f64> {
    for _ in 0..WARM_UPS {
        state = work(state)?;
    }
    let mut times = Vec::new();
    for _ in 0..runs.get() {
        let clock = Instant::now();
        state = work(state)?;
        times.push(clock.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(times))
}

/// The middle one, or the mean of the two in the middle.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    if times.len().is_multiple_of(2) {
        f64::midpoint(times[middle - 1], times[middle])
    } else {
        times[middle]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![9.0, 1.0, 2.0, 4.0]), 3.0);
    }

    #[test]
    fn every_run_gets_what_the_one_before_left() {
        let mut seen = Vec::new();
        let runs = NonZeroUsize::new(3).unwrap();
        median_ms(runs, 0, |state| {
            seen.push(state);
            Ok(state + 1)
        })
        .unwrap();
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    }
}
