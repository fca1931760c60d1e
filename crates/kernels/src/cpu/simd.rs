//! Which vector registers are in use.

use pulp::Arch;

/// The widest vector registers of this processor.
pub(crate) fn arch() -> Arch {
    #[cfg(test)]
    if let Some(arch) = FORCED.get() {
        return arch;
    }
    Arch::new()
}

/// Runs `work`, compiled for these registers.
pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    arch().dispatch(work)
}

#[cfg(test)]
thread_local! {
    /// Tests make this thread use narrower registers.
    pub(crate) static FORCED: std::cell::Cell<Option<Arch>> = const { std::cell::Cell::new(None) };
}
