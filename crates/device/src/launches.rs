//! Counting the kernels that a GPU is asked to run.

use crate::{DeviceError, DeviceSpec};

/// Counts the kernel launches of this process, on all threads and devices of CubeCL, from [`start`](Self::start) until it is
/// dropped.
#[derive(Debug)]
pub struct LaunchCount {
    #[cfg(any(feature = "wgpu", feature = "cuda"))]
    watched: watched::Watched,
}

impl LaunchCount {
    /// Begins to count.
    ///
    /// # Errors
    ///
    /// The device does not run on CubeCL: it launches no kernels.
    pub fn start(device: DeviceSpec) -> Result<Self, DeviceError> {
        if !device.backend().launches_kernels() {
            return Err(DeviceError::LaunchesNoKernels { device });
        }
        Ok(Self {
            #[cfg(any(feature = "wgpu", feature = "cuda"))]
            watched: watched::Watched::start(),
        })
    }

    /// How often each kernel was launched so far, by the kernel's name.
    pub fn by_kernel(&self) -> Vec<(String, u64)> {
        #[cfg(any(feature = "wgpu", feature = "cuda"))]
        return self.watched.by_kernel();
        #[cfg(not(any(feature = "wgpu", feature = "cuda")))]
        Vec::new()
    }
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod watched {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex, PoisonError};

    use cubecl::logging::{LaunchObservation, LaunchObserver};

    #[derive(Debug)]
    pub(super) struct Watched {
        launched: Arc<Launched>,
        _observation: LaunchObservation,
    }

    #[derive(Debug, Default)]
    struct Launched(Mutex<BTreeMap<&'static str, u64>>);

    impl LaunchObserver for Launched {
        fn launched(&self, kernel: &'static str) {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *counts.entry(kernel).or_default() += 1;
        }
    }

    impl Watched {
        pub(super) fn start() -> Self {
            let launched = Arc::new(Launched::default());
            Self {
                _observation: LaunchObservation::new(launched.clone()),
                launched,
            }
        }

        /// A kernel's name is that of its Rust type, whose parameters tell its variants apart: they are counted as one.
        pub(super) fn by_kernel(&self) -> Vec<(String, u64)> {
            let counts = self.launched.0.lock();
            let counts = counts.unwrap_or_else(PoisonError::into_inner);
            let mut by_kernel = BTreeMap::<String, u64>::new();
            for (name, count) in counts.iter() {
                *by_kernel.entry(short(name)).or_default() += count;
            }
            by_kernel.into_iter().collect()
        }
    }

    /// The last two parts of the type's path, without its parameters.
    fn short(name: &str) -> String {
        let path = name.split('<').next().unwrap_or(name);
        let parts: Vec<&str> = path.split("::").collect();
        parts[parts.len().saturating_sub(2)..].join("::")
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_kernel_is_named_by_the_end_of_its_path() {
            let name = "burn_cubecl::kernel::unary::kernel_unary::KernelUnary<f32, Exp>";
            assert_eq!(short(name), "kernel_unary::KernelUnary");
            assert_eq!(short("Plain"), "Plain");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Backend;

    #[test]
    fn a_device_without_kernel_launches_is_an_error_that_names_those_with_them() {
        for backend in [Backend::Flex, Backend::NdArray] {
            let device = DeviceSpec::new(backend);
            let error = LaunchCount::start(device).map(|_| ()).unwrap_err();
            assert_eq!(error, DeviceError::LaunchesNoKernels { device });
            let message = error.to_string();
            assert!(message.contains("wgpu, vulkan, metal, cuda"), "{message}");
        }
    }

    #[cfg(feature = "wgpu")]
    #[test]
    fn launches_are_counted_while_the_count_lives() {
        use burn::tensor::Tensor;

        let spec = DeviceSpec::new(Backend::Wgpu);
        let device = match spec.open() {
            Ok(device) => device,
            Err(DeviceError::NoAdapter { .. }) if std::env::var_os("CI").is_none() => return,
            Err(error) => panic!("{error}"),
        };
        let sum = || Tensor::<1>::ones([64], &device).exp().into_data();
        sum();
        let count = LaunchCount::start(spec).unwrap();
        sum();
        let launches: u64 = count.by_kernel().iter().map(|(_, count)| count).sum();
        assert!(launches >= 2, "{:?}", count.by_kernel());
    }
}
