use std::cell::Cell;

#[cfg(any(
    feature = "flex",
    feature = "ndarray",
    feature = "wgpu",
    feature = "cuda"
))]
use burn::backend::DispatchDevice;
use burn::tensor::{DType, Device, Tensor};

thread_local! {
    static KERNELS_ARE_OFF: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` on this thread with the kernels off: every operation of this crate takes its composed body, and the backward
/// pass is that of ordinary tensor operations. Tests hold a whole model with kernels against the same model without them;
/// `bert bench --kernels off` measures what the kernels gain.
pub fn without_kernels<R>(work: impl FnOnce() -> R) -> R {
    /// Restores the state even if `work` panics.
    struct Restored(bool);

    impl Drop for Restored {
        fn drop(&mut self) {
            KERNELS_ARE_OFF.set(self.0);
        }
    }

    let _restored = Restored(KERNELS_ARE_OFF.replace(true));
    work()
}

/// Whether this crate has a kernel for every operation on single-precision tensors of this device, and [`without_kernels`] has
/// not turned them off. The CPU backends have. GPUs have kernels for some operations, which want padding as composed bodies do.
///
/// Callers need not ask before they call an operation, which takes its composed body where there is no kernel. The answer serves
/// callers that arrange their work differently for kernels, for example without padding.
pub fn has_kernels(device: &Device) -> bool {
    !kernels_are_off() && computes_on_host(device)
}

/// Whether this device is a CPU backend, whose tensors are in the memory of the process: reading one waits for nothing.
pub fn computes_on_host(device: &Device) -> bool {
    match device.clone().inner().as_dispatch() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => true,
        _ => false,
    }
}

/// Whether an operation on this tensor runs a kernel.
pub(crate) fn runs_kernel<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && has_kernels(&x.device())
}

/// Whether an operation on this tensor runs a kernel for GPUs.
pub(crate) fn runs_gpu_kernel<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && !kernels_are_off() && computes_on_gpu(&x.device())
}

/// Whether this device is one that CubeCL runs.
pub(crate) fn computes_on_gpu(device: &Device) -> bool {
    match device.clone().inner().as_dispatch() {
        #[cfg(any(feature = "wgpu", feature = "cuda"))]
        DispatchDevice::Cube(_) => true,
        _ => false,
    }
}

/// Whether this thread is within [`without_kernels`].
pub(crate) fn kernels_are_off() -> bool {
    KERNELS_ARE_OFF.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_off_for_the_work_alone_even_if_it_panics() {
        without_kernels(|| {
            assert!(kernels_are_off());
            without_kernels(|| assert!(kernels_are_off()));
            assert!(kernels_are_off());
            let other = std::thread::spawn(kernels_are_off).join();
            assert!(!other.expect("it does not panic"), "this thread alone");
        });
        assert!(!kernels_are_off());
        let panicked = std::panic::catch_unwind(|| without_kernels(|| panic!("as expected")));
        assert!(panicked.is_err() && !kernels_are_off());
    }
}
