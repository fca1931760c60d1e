//! Running one test on every backend of the build.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use bert_device::{Backend, DeviceError, DeviceSpec};
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
        Err(reason @ DeviceError::NoAdapter { .. }) => {
            anyhow::ensure!(std::env::var_os("CI").is_none(), "CI is set and {reason}");
            let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
            let thread = std::thread::current();
            let name = thread.name().unwrap_or("a test");
            announce(&format!(
                "SKIPPED {name} ({count} skipped so far): {reason}"
            ));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn describe_once(backend: Backend) {
    static DESCRIBED: AtomicUsize = AtomicUsize::new(0);
    let bit = 1 << (backend as usize);
    if DESCRIBED.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
        match DeviceSpec::new(backend).describe() {
            Ok(description) => announce(&format!("{backend}: {description}")),
            Err(error) => announce(&format!("{backend}: {error}")),
        }
    }
}

/// Writes to standard error itself: the test harness swallows what `eprintln!` prints in a test that passes.
fn announce(line: &str) {
    // Nobody can be told that standard error is closed.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Turns functions `fn(&TestDevice) -> anyhow::Result<()>` into one test for each backend of the build, named
/// `function::backend`.
#[macro_export]
macro_rules! on_every_device {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            use bert_device::Backend;

            #[cfg(feature = "flex")]
            #[test]
            fn flex() -> anyhow::Result<()> {
                $crate::device::run_on(Backend::Flex, super::$test)
            }

            #[cfg(feature = "ndarray")]
            #[test]
            fn ndarray() -> anyhow::Result<()> {
                $crate::device::run_on(Backend::NdArray, super::$test)
            }

            #[cfg(feature = "wgpu")]
            #[test]
            fn wgpu() -> anyhow::Result<()> {
                $crate::device::run_on(Backend::Wgpu, super::$test)
            }

            #[cfg(feature = "vulkan")]
            #[test]
            fn vulkan() -> anyhow::Result<()> {
                $crate::device::run_on(Backend::Vulkan, super::$test)
            }

            #[cfg(feature = "metal")]
            #[test]
            fn metal() -> anyhow::Result<()> {
                $crate::device::run_on(Backend::Metal, super::$test)
            }

            #[cfg(feature = "cuda")]
            #[test]
            fn cuda() -> anyhow::Result<()> {
                $crate::device::run_on(Backend::Cuda, super::$test)
            }
        }
    )+};
}
