//! Running one test on every backend of the build.

use std::fmt::Display;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use bert_device::{Backend, DeviceError, DeviceSpec};
use bert_kernels::without_kernels;
use burn::tensor::Device;

/// How many tests have been skipped for want of an adapter.
static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// A device under test.
#[derive(Debug, Clone)]
pub struct TestDevice {
    backend: Backend,
    device: Device,
}

impl TestDevice {
    /// Opens the default device of a backend.
    ///
    /// # Errors
    /// The backend is not in this build or has no adapter.
    pub fn open(backend: Backend) -> Result<Self, DeviceError> {
        let device = DeviceSpec::new(backend).open()?;
        Ok(Self { backend, device })
    }

    /// Its backend.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The device, without autodiff.
    pub fn plain(&self) -> &Device {
        &self.device
    }

    /// The device, with autodiff.
    pub fn autodiff(&self) -> Device {
        self.device.clone().autodiff()
    }
}

/// Runs a test on a backend. Where the backend has no adapter the test is skipped: that is printed past the test
/// harness's capture, and it is a failure when the environment variable `CI` is set.
///
/// # Errors
/// Those of the test, and a device that does not open.
pub fn run_on(
    backend: Backend,
    test: impl FnOnce(&TestDevice) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    match TestDevice::open(backend) {
        Ok(device) => {
            describe_once(backend);
            test(&device)
        }
        Err(reason @ DeviceError::NoAdapter { .. }) => skip(&reason),
        Err(error) => Err(error.into()),
    }
}

/// Ends a test that this machine has no device for: `Ok` and a line past the test harness's capture.
///
/// # Errors
/// The environment variable `CI` is set.
pub fn skip(reason: &dyn Display) -> anyhow::Result<()> {
    anyhow::ensure!(std::env::var_os("CI").is_none(), "CI is set and {reason}");
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("a test");
    announce(&format!(
        "SKIPPED {name} ({count} skipped so far): {reason}"
    ));
    Ok(())
}

fn describe_once(backend: Backend) {
    static DESCRIBED: AtomicUsize = AtomicUsize::new(0);
    let bit = 1 << (backend as usize);
    if DESCRIBED.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
        match DeviceSpec::new(backend).open_described() {
            Ok(opened) => announce(&format!("{backend}: {}", opened.description)),
            Err(error) => announce(&format!("{backend}: {error}")),
        }
    }
}

/// Writes to standard error itself: the test harness swallows what `eprintln!` prints in a test that passes.
fn announce(line: &str) {
    // Nobody can be told that standard error is closed.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs a test on a backend as on one without kernels: the composed bodies of `bert-kernels` do the work.
///
/// # Errors
/// As [`run_on`].
pub fn run_without_kernels(
    backend: Backend,
    test: impl FnOnce(&TestDevice) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    run_on(backend, |device| without_kernels(|| test(device)))
}

/// Turns functions `fn(&TestDevice) -> anyhow::Result<()>` into one test for each backend of the build, named
/// `function::backend`.
#[macro_export]
macro_rules! on_every_device {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            $crate::with_flex! { $crate::device_test!($test, flex run_on Flex); }
            $crate::with_ndarray! { $crate::device_test!($test, ndarray run_on NdArray); }
            $crate::gpu_tests!($test);
        }
    )+};
}

/// As [`on_every_device`], and where `bert-kernels` has kernels also a test with these off, named
/// `function::backend_without_kernels`.
#[macro_export]
macro_rules! with_and_without_kernels {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            $crate::with_flex! {
                $crate::device_test!($test, flex run_on Flex);
                $crate::device_test!($test, flex_without_kernels run_without_kernels Flex);
            }
            $crate::with_ndarray! {
                $crate::device_test!($test, ndarray run_on NdArray);
                $crate::device_test!($test, ndarray_without_kernels run_without_kernels NdArray);
            }
            $crate::gpu_tests!($test);
        }
    )+};
}

/// As [`on_every_device`], but only for the backends that `bert-kernels` has kernels for.
#[macro_export]
macro_rules! where_kernels_are {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            $crate::with_flex! { $crate::device_test!($test, flex run_on Flex); }
            $crate::with_ndarray! { $crate::device_test!($test, ndarray run_on NdArray); }
        }
    )+};
}

/// The part of [`on_every_device`] that needs a GPU, or software in its place.
#[macro_export]
#[doc(hidden)]
macro_rules! gpu_tests {
    ($test:ident) => {
        $crate::with_wgpu! { $crate::device_test!($test, wgpu run_on Wgpu); }
        $crate::with_vulkan! { $crate::device_test!($test, vulkan run_on Vulkan); }
        $crate::with_metal! { $crate::device_test!($test, metal run_on Metal); }
        $crate::with_cuda! { $crate::device_test!($test, cuda run_on Cuda); }
    };
}

/// One test of the module that a function of its parent has.
#[macro_export]
#[doc(hidden)]
macro_rules! device_test {
    ($test:ident, $name:ident $run:ident $backend:ident) => {
        #[test]
        fn $name() -> anyhow::Result<()> {
            $crate::device::$run($crate::Backend::$backend, super::$test)
        }
    };
}

/// Defines a macro whose items are there only if this crate is built with a feature: `cfg` in an exported macro would ask
/// for a feature of the crate that calls it.
// rustfmt indents the inner macro anew each time.
#[rustfmt::skip]
macro_rules! define_with_backend {
    ($dollar:tt $name:ident $feature:literal) => {
        #[cfg(feature = $feature)]
        #[macro_export]
        #[doc(hidden)]
        macro_rules! $name {
            ($dollar($dollar items:tt)*) => { $dollar($dollar items)* };
        }

        #[cfg(not(feature = $feature))]
        #[macro_export]
        #[doc(hidden)]
        macro_rules! $name {
            ($dollar($dollar items:tt)*) => {};
        }
    };
}

define_with_backend!($ with_flex "flex");
define_with_backend!($ with_ndarray "ndarray");
define_with_backend!($ with_wgpu "wgpu");
define_with_backend!($ with_vulkan "vulkan");
define_with_backend!($ with_metal "metal");
define_with_backend!($ with_cuda "cuda");
