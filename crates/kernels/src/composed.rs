use std::cell::Cell;

thread_local! {
    static COMPOSED: Cell<bool> = const { Cell::new(false) };
}

/// Does `work` as on a device without kernels: on this thread [`is_fused`](crate::is_fused) says no, so that a model takes composed
/// bodies, and what works on every device is its composed body, too, with the backward pass of the ordinary tensor operations
/// in it. What needs kernels and is called all the same has them. It is how the tests hold a whole model with kernels against the same
/// model without, and how `bert bench --kernels off` says what they gain.
pub fn without_kernels<R>(work: impl FnOnce() -> R) -> R {
    /// Also where `work` panics.
    struct Restored(bool);

    impl Drop for Restored {
        fn drop(&mut self) {
            COMPOSED.set(self.0);
        }
    }

    let _restored = Restored(COMPOSED.replace(true));
    work()
}

/// Whether this thread is within [`without_kernels`].
pub(crate) fn is_composed() -> bool {
    COMPOSED.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_off_for_the_work_alone_even_if_it_panics() {
        without_kernels(|| {
            assert!(is_composed());
            without_kernels(|| assert!(is_composed()));
            assert!(is_composed());
            let other = std::thread::spawn(is_composed).join();
            assert!(!other.expect("it does not panic"), "this thread alone");
        });
        assert!(!is_composed());
        let panicked = std::panic::catch_unwind(|| without_kernels(|| panic!("as expected")));
        assert!(panicked.is_err() && !is_composed());
    }
}
