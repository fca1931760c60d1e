//! The ways in which naming or opening a device goes wrong.

use crate::{Backend, DeviceSpec};

/// Why a `--device` word names no usable device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The word is none of the known ones.
    #[error("there is no device '{word}'{}; known are {}", suggested(.suggestion), known_words())]
    UnknownWord {
        /// What was given.
        word: String,
        /// The known word that it most resembles.
        suggestion: Option<Backend>,
    },
    /// A number behind a word that names one device only.
    #[error("'{backend}' is one device and takes no number; write --device {backend}")]
    NotNumbered {
        /// The backend named.
        backend: Backend,
    },
    /// Something behind the colon that is not a number.
    #[error("'{text}' is not a device number; write for example --device {backend}:0")]
    InvalidNumber {
        /// The backend named.
        backend: Backend,
        /// What stood behind the colon.
        text: String,
    },
    /// This build lacks the backend.
    #[error(
        "this build has no '{backend}' device; add `--features {backend}` to the cargo command that builds it, or use one of those it has: {}",
        compiled_words()
    )]
    NotCompiledIn {
        /// The backend named.
        backend: Backend,
    },
    /// The backend finds nothing to run on.
    #[error("no adapter for --device {device}: {reason}; it needs {}, while `--device flex` needs none", needs(.device.backend()))]
    NoAdapter {
        /// The device asked for.
        device: DeviceSpec,
        /// What the search ended with.
        reason: String,
    },
    /// The backend has devices, but not as many.
    #[error(
        "no --device {device}: '{}' has {found} device(s) here, numbered from 0", .device.backend()
    )]
    NoSuchNumber {
        /// The device asked for.
        device: DeviceSpec,
        /// How many there are.
        found: usize,
    },
    /// Kernel launches were to be counted where there are none.
    #[error(
        "--device {device} launches no kernels that could be counted; devices that do are {}",
        words(Backend::ALL.into_iter().filter(|backend| backend.launches_kernels()))
    )]
    LaunchesNoKernels {
        /// The device asked for.
        device: DeviceSpec,
    },
    /// The device is there, and refuses to start.
    #[error("--device {device} does not start: {reason}")]
    DoesNotStart {
        /// The device asked for.
        device: DeviceSpec,
        /// What the driver or the runtime said.
        reason: String,
    },
}

fn suggested(suggestion: &Option<Backend>) -> String {
    match suggestion {
        Some(backend) => format!(" (did you mean '{backend}'?)"),
        None => String::new(),
    }
}

fn words(backends: impl Iterator<Item = Backend>) -> String {
    backends.map(Backend::word).collect::<Vec<_>>().join(", ")
}

fn known_words() -> String {
    words(Backend::ALL.into_iter())
}

fn compiled_words() -> String {
    let compiled = words(
        Backend::ALL
            .into_iter()
            .filter(|backend| backend.is_compiled_in()),
    );
    if compiled.is_empty() {
        "none".to_owned()
    } else {
        compiled
    }
}

fn needs(backend: Backend) -> &'static str {
    match backend {
        Backend::Flex | Backend::NdArray => "nothing but the CPU",
        Backend::Wgpu => {
            "a driver for Vulkan, Metal, DirectX 12 or OpenGL (Debian's mesa-vulkan-drivers has one in software)"
        }
        Backend::Vulkan => "a Vulkan driver (Debian's mesa-vulkan-drivers has one in software)",
        Backend::Metal => "macOS on a machine with a Metal GPU",
        Backend::Cuda => "an NVIDIA GPU and its driver (libcuda)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_adapter_says_what_is_needed_and_what_works_without() {
        let error = DeviceError::NoAdapter {
            device: DeviceSpec::new(Backend::Wgpu),
            reason: "none found".to_owned(),
        };
        let message = error.to_string();
        assert!(message.starts_with("no adapter for --device wgpu: none found"));
        assert!(message.contains("mesa-vulkan-drivers"));
        assert!(message.contains("--device flex"));
    }

    #[test]
    fn a_backend_left_out_of_the_build_is_answered_with_its_feature() {
        let error = DeviceError::NotCompiledIn {
            backend: Backend::Cuda,
        };
        assert!(error.to_string().contains("--features cuda"));
    }
}
