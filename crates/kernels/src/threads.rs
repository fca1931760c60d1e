/// Does `work` on one of the threads that the kernels of the CPU backends share, so that it need not go there and back for
/// each of them, and keeps a few others awake meanwhile: both take some ten microseconds a kernel, which counts where inputs
/// are short. Elsewhere the work is done where it is.
pub fn on_kernel_threads<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    return crate::cpu::threads::among_others_awake(work);
    #[cfg(not(any(feature = "flex", feature = "ndarray")))]
    return work();
}
