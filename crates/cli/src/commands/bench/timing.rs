use std::num::NonZeroUsize;
use std::time::Instant;

use anyhow::Result;
use bert_device::DeviceSpec;

use super::count::{Counter, Counts};

/// What is counted beside the time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counting {
    pub(crate) device: DeviceSpec,
    /// Of the tensors that each run uploads.
    pub(crate) tensor_bytes: usize,
}

/// The runs of one work.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) median_ms: f64,
    pub(crate) counts: Option<Counts>,
}

/// Draw the weights, fill the caches and grow the heap, so that the timed runs find what a long run finds.
const WARM_UPS: usize = 2;

/// The median of the times that `work` takes, in milliseconds, after two runs that are not timed. What a run returns is
/// given to the next.
pub(crate) fn median_ms<S>(
    runs: NonZeroUsize,
    state: S,
    work: impl FnMut(S) -> Result<S>,
) -> Result<f64> {
    Ok(take(runs, None, state, work)?.median_ms)
}

/// [`median_ms`], and what as many further runs ask of the device.
pub(crate) fn take<S>(
    runs: NonZeroUsize,
    counting: Option<Counting>,
    mut state: S,
    mut work: impl FnMut(S) -> Result<S>,
) -> Result<Taken> {
    for _ in 0..WARM_UPS {
        state = work(state)?;
    }
    let mut times = Vec::new();
    for _ in 0..runs.get() {
        let clock = Instant::now();
        state = work(state)?;
        times.push(clock.elapsed().as_secs_f64() * 1e3);
    }
    let counts = match counting {
        None => None,
        Some(counting) => {
            let counter = Counter::start(counting.device)?;
            for _ in 0..runs.get() {
                state = work(state)?;
            }
            Some(counter.finish(runs.get(), counting.tensor_bytes))
        }
    };
    Ok(Taken {
        median_ms: median(times),
        counts,
    })
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
