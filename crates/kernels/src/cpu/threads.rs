//! Sharing work with other threads. Handing it over takes some microseconds, so one thread does little work alone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;

/// Operations below which one thread works alone: some ten microseconds of work.
const LITTLE: usize = 1 << 20;

/// How long an idle thread looks for work before it sleeps: about as long as one thread works alone between two shared kernels.
/// It is also the longest time for which a thread's earlier work can wait.
const PATIENCE: Duration = Duration::from_micros(100);

/// How many threads are kept awake. A short input has no work for more, and waking a thread takes time.
const AWAKE: usize = 4;

/// Does `work` on one of the shared threads, while a few others stay awake for the work that it shares.
pub(crate) fn with_helpers_awake<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let is_done = AtomicBool::new(false);
    rayon::scope(|scope| {
        for _ in 1..rayon::current_num_threads().min(AWAKE) {
            scope.spawn(|_| help(&is_done));
        }
        let result = work();
        is_done.store(true, Ordering::Relaxed);
        result
    })
}

/// Takes work that other threads share, until `work` is done or none has come for a while.
fn help(is_done: &AtomicBool) {
    let mut idle_since = Instant::now();
    while !is_done.load(Ordering::Relaxed) && idle_since.elapsed() < PATIENCE {
        match rayon::yield_now() {
            Some(rayon::Yield::Executed) => idle_since = Instant::now(),
            _ => std::hint::spin_loop(),
        }
    }
}

/// Whether one thread alone does so many operations faster.
pub(crate) fn is_little(operations: usize) -> bool {
    operations < LITTLE || rayon::current_num_threads() == 1
}

/// `work` of each item. Each thread has a `room` of its own, for buffers.
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

    /// The sum of the integers below 1000, with parallel work inside parallel work.
    fn sum() -> usize {
        let tens = (0..100).into_par_iter().with_max_len(1);
        tens.map(|ten| -> usize { (10 * ten..10 * ten + 10).into_par_iter().sum() })
            .sum()
    }

    #[test]
    fn nested_and_concurrent_work_ends() {
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.expect("threads can be started");
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        pool.install(|| {
                            for _ in 0..50 {
                                let both = with_helpers_awake(|| [sum(), with_helpers_awake(sum)]);
                                assert_eq!(both, [499_500; 2]);
                            }
                        });
                    });
                }
            });
        }
    }

    #[test]
    fn a_panic_leaves_no_thread_waiting() {
        let panicked = std::panic::catch_unwind(|| with_helpers_awake(|| panic!("as expected")));
        assert!(panicked.is_err());
    }
}
