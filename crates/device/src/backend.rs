//! The backends that have a `--device` word.

use std::fmt;

/// A Burn backend that `--device` can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Backend {
    /// Pure-Rust CPU kernels of burn-flex.
    Flex,
    /// Pure-Rust CPU kernels of burn-ndarray.
    NdArray,
    /// GPU through wgpu, on the graphics API that the machine offers.
    Wgpu,
    /// GPU through wgpu, on Vulkan alone.
    Vulkan,
    /// GPU through wgpu, on Metal alone.
    Metal,
    /// NVIDIA GPU through CUDA.
    Cuda,
}

/// A line of the listing of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvailableBackend {
    /// The backend listed.
    pub backend: Backend,
    /// Whether this build has it.
    pub compiled_in: bool,
    /// What it runs on, in half a line.
    pub description: &'static str,
}

/// Every backend in the order of `--help`, with whether this build has it.
pub fn available() -> impl Iterator<Item = AvailableBackend> {
    Backend::ALL.into_iter().map(|backend| AvailableBackend {
        backend,
        compiled_in: backend.is_compiled_in(),
        description: backend.description(),
    })
}

impl Backend {
    /// Every backend, in the order of `--help`.
    pub const ALL: [Self; 6] = [
        Self::Flex,
        Self::NdArray,
        Self::Wgpu,
        Self::Vulkan,
        Self::Metal,
        Self::Cuda,
    ];

    /// The word on the command line, which is also the name of the Cargo feature.
    pub fn word(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::NdArray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Cuda => "cuda",
        }
    }

    /// What the backend runs on, in half a line.
    pub fn description(self) -> &'static str {
        match self {
            Self::Flex => "CPU, pure Rust, the fastest without a GPU",
            Self::NdArray => "CPU, pure Rust, with the same kernels as flex",
            Self::Wgpu => "GPU on whichever of Vulkan, Metal, DirectX 12 and OpenGL there is",
            Self::Vulkan => "GPU on Vulkan, kernels in SPIR-V",
            Self::Metal => "GPU of a Mac, on Metal",
            Self::Cuda => "NVIDIA GPU on CUDA",
        }
    }

    /// Whether this build has the backend.
    pub fn is_compiled_in(self) -> bool {
        match self {
            Self::Flex => cfg!(feature = "flex"),
            Self::NdArray => cfg!(feature = "ndarray"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Metal => cfg!(feature = "metal"),
            Self::Cuda => cfg!(feature = "cuda"),
        }
    }

    /// Whether the backend may have several devices, told apart as in `cuda:1`.
    pub fn is_numbered(self) -> bool {
        !matches!(self, Self::Flex | Self::NdArray)
    }

    /// Whether the backend computes by launching kernels of CubeCL, which can be counted.
    pub fn launches_kernels(self) -> bool {
        !matches!(self, Self::Flex | Self::NdArray)
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backend| backend.word() == word)
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listing_has_every_backend_once_and_says_what_this_build_has() {
        let listing: Vec<_> = available().collect();
        assert_eq!(
            listing.iter().map(|line| line.backend).collect::<Vec<_>>(),
            Backend::ALL
        );
        assert_eq!(listing[0].compiled_in, cfg!(feature = "flex"));
        assert_eq!(listing[5].compiled_in, cfg!(feature = "cuda"));
    }

    #[test]
    fn every_backend_is_found_by_its_word() {
        for backend in Backend::ALL {
            assert_eq!(Backend::from_word(backend.word()), Some(backend));
        }
        assert_eq!(Backend::from_word("Flex"), None);
    }
}
