//! How slow a server may be. One that sends a byte now and then would hold a transfer for ever.

use std::time::{Duration, Instant};

/// Fewer bytes than this in a second are too few, on average over the time that a server may be silent.
pub(crate) const FEWEST_BYTES: u64 = 1024;

/// Counts the bytes of a body. The time of its first bytes is the beginning, so that what comes at once is never slow.
#[derive(Debug)]
pub(crate) struct Pace {
    window: Duration,
    begun: Option<Instant>,
    bytes: u64,
}

impl Pace {
    pub(crate) fn new(window: Duration) -> Self {
        Self {
            window,
            begun: None,
            bytes: 0,
        }
    }

    /// Counts bytes that have arrived `now`, and says whether enough have in the time that is over.
    pub(crate) fn is_kept(&mut self, bytes: u64, now: Instant) -> bool {
        let begun = *self.begun.get_or_insert(now);
        self.bytes += bytes;
        let time = now.duration_since(begun);
        if time < self.window {
            return true;
        }
        let is_kept = self.bytes as f64 >= FEWEST_BYTES as f64 * time.as_secs_f64();
        (self.begun, self.bytes) = (Some(now), 0);
        is_kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trickle_is_not_enough_and_what_comes_at_once_always_is() {
        let start = Instant::now();
        let second = |count| start + Duration::from_secs(count);
        let mut trickle = Pace::new(Duration::from_secs(60));
        assert!((0..60).all(|count| trickle.is_kept(1000, second(count))));
        assert!(!trickle.is_kept(1000, second(60)));
        let mut stream = Pace::new(Duration::from_secs(60));
        assert!((0..300).all(|count| stream.is_kept(1100, second(count))));
        assert!(Pace::new(Duration::ZERO).is_kept(0, start));
    }
}
