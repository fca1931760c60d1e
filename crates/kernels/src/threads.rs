/// Does `work` on one of the threads that the kernels of the CPU backends share, and keeps a few others awake meanwhile. That saves
/// each kernel a switch of threads and a wake-up, some ten microseconds each, which counts for short inputs. Without CPU backends
/// the work stays on this thread.
pub fn on_kernel_threads<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    return crate::cpu::threads::with_helpers_awake(work);
    #[cfg(not(any(feature = "flex", feature = "ndarray")))]
    return work();
}
