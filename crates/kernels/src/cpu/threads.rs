//! Who does the work: handing it to other threads takes some microseconds, within which one thread is done with a little.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;

/// Operations below which one thread works alone: some ten microseconds of them.
const LITTLE: usize = 1 << 20;

/// How long a thread that finds nothing to do looks for more before it sleeps: as long as what one thread does alone between
/// two kernels that are shared out. It is also the longest that it may be kept from what it had begun before.
const PATIENCE: Duration = Duration::from_micros(100);

/// So many threads are kept awake: a short input gives no more of them something to do, and waking one takes time, too.
const AWAKE: usize = 4;

/// Does `work` on one of the shared threads, while a few others look out for what it shares out.
pub(crate) fn among_others_awake<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let is_done = AtomicBool::new(false);
    rayon::scope(|scope| {
        for _ in 1..rayon::current_num_threads().min(AWAKE) {
            scope.spawn(|_| look_out(&is_done));
        }
        let result = work();
        is_done.store(true, Ordering::Relaxed);
        result
    })
}

/// Takes what other threads share out, until all is done or nothing has come for a while.
fn look_out(is_done: &AtomicBool) {
    let mut idle_since = Instant::now();
    while !is_done.load(Ordering::Relaxed) && idle_since.elapsed() < PATIENCE {
        match rayon::yield_now() {
            Some(rayon::Yield::Executed) => idle_since = Instant::now(),
            _ => std::hint::spin_loop(),
        }
    }
}

/// Whether one thread had best do so many operations.
pub(crate) fn is_little(operations: usize) -> bool {
    operations < LITTLE || rayon::current_num_threads() == 1
}

/// What `work` makes of each item, with room of its thread's own.
pub(crate) fn each<T: Send, R, O: Send>(
    items: Vec<T>,
    is_little: bool,
    room: impl Fn() -> R + Sync + Send,
    work: impl Fn(&mut R, T) -> O + Sync + Send,
) -> Vec<O> {
    if is_little || items.len() < 2 {
        let mut room = room();
        return items
            .into_iter()
            .map(|item| work(&mut room, item))
            .collect();
    }
    let items = items.into_par_iter().with_max_len(1);
    items.map_init(room, work).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum of the numbers below 1000, shared out and shared out again.
    fn sum() -> usize {
        let tens = (0..100).into_par_iter().with_max_len(1);
        tens.map(|ten| -> usize { (10 * ten..10 * ten + 10).into_par_iter().sum() })
            .sum()
    }

    #[test]
    fn work_side_by_side_and_within_other_work_comes_to_its_end() {
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.expect("threads can be started");
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        pool.install(|| {
                            for _ in 0..50 {
                                let both = among_others_awake(|| [sum(), among_others_awake(sum)]);
                                assert_eq!(both, [499_500; 2]);
                            }
                        });
                    });
                }
            });
        }
    }

    #[test]
    fn a_panic_leaves_nobody_waiting() {
        let panicked = std::panic::catch_unwind(|| among_others_awake(|| panic!("as expected")));
        assert!(panicked.is_err());
    }
}
