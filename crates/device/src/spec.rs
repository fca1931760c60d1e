//! Parsing a `--device` word and opening what it names.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

#[cfg(any(feature = "flex", feature = "ndarray"))]
use crate::Details;
use crate::{Backend, DeviceError, OpenedDevice};

/// Below this Jaro-Winkler similarity a suggestion is a guess that would mislead.
const MIN_SIMILARITY: f64 = 0.7;

/// A device as the command line names it: a backend and, for GPUs, which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceSpec {
    backend: Backend,
    /// `None` leaves the choice to the backend.
    number: Option<usize>,
}

impl DeviceSpec {
    /// The device that the backend prefers.
    pub fn new(backend: Backend) -> Self {
        Self {
            backend,
            number: None,
        }
    }

    /// The backend named.
    pub fn backend(self) -> Backend {
        self.backend
    }

    /// The number behind the colon. GPUs of wgpu, Vulkan and Metal are counted discrete ones first, then integrated,
    /// virtual and software ones; those of CUDA as the driver counts them.
    pub fn number(self) -> Option<usize> {
        self.number
    }

    /// Opens the device, without autodiff.
    ///
    /// # Errors
    /// The backend is not in this build, has no adapter or not that many, or its driver refuses to start.
    pub fn open(self) -> Result<Device, DeviceError> {
        self.open_described().map(|opened| opened.device)
    }

    /// As [`Self::open`], with the name of the hardware and of the interface to it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_described(self) -> Result<OpenedDevice, DeviceError> {
        match self.backend {
            #[cfg(feature = "flex")]
            Backend::Flex => Ok(OpenedDevice {
                device: Device::flex(),
                description: cpu_description("burn-flex"),
                details: Details::default(),
            }),
            #[cfg(feature = "ndarray")]
            Backend::NdArray => Ok(OpenedDevice {
                #[expect(
                    deprecated,
                    reason = "Burn drops ndarray after 0.22, the version that the workspace pins"
                )]
                device: Device::ndarray(),
                description: cpu_description("burn-ndarray"),
                details: Details::default(),
            }),
            #[cfg(feature = "wgpu")]
            Backend::Wgpu => crate::wgpu::open(self, &crate::wgpu::AUTO),
            #[cfg(feature = "vulkan")]
            Backend::Vulkan => crate::wgpu::open(self, &crate::wgpu::VULKAN),
            #[cfg(feature = "metal")]
            Backend::Metal => crate::wgpu::open(self, &crate::wgpu::METAL),
            #[cfg(feature = "cuda")]
            Backend::Cuda => crate::cuda::open(self),
            #[allow(
                unreachable_patterns,
                reason = "a build with every feature leaves nothing for this arm"
            )]
            backend => Err(DeviceError::NotCompiledIn { backend }),
        }
    }
}

impl FromStr for DeviceSpec {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, number) = match text.split_once(':') {
            Some((word, number)) => (word, Some(number)),
            None => (text, None),
        };
        let backend = Backend::from_word(word).ok_or_else(|| DeviceError::UnknownWord {
            word: text.to_owned(),
            suggestion: suggestion(word),
        })?;
        let number = match number {
            None => None,
            Some(_) if !backend.is_numbered() => return Err(DeviceError::NotNumbered { backend }),
            Some(number) => Some(number.parse().map_err(|_| DeviceError::InvalidNumber {
                backend,
                text: number.to_owned(),
            })?),
        };
        Ok(Self { backend, number })
    }
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(formatter, "{}:{number}", self.backend),
            None => write!(formatter, "{}", self.backend),
        }
    }
}

/// The words of other frameworks first, then the spelling that comes closest.
fn suggestion(word: &str) -> Option<Backend> {
    let word = word.to_lowercase();
    match word.as_str() {
        "cpu" => return Some(Backend::Flex),
        "gpu" => return Some(Backend::Wgpu),
        "mps" => return Some(Backend::Metal),
        _ => {}
    }
    Backend::ALL
        .into_iter()
        .map(|backend| (strsim::jaro_winkler(&word, backend.word()), backend))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, backend)| backend)
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
fn cpu_description(implementation: &str) -> String {
    match std::thread::available_parallelism() {
        Ok(threads) => format!("CPU with {threads} hardware thread(s), through {implementation}"),
        Err(_) => format!("CPU, through {implementation}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<DeviceSpec, DeviceError> {
        text.parse()
    }

    #[test]
    fn words_survive_parsing_and_printing() {
        for word in [
            "flex", "ndarray", "wgpu", "wgpu:2", "vulkan", "vulkan:0", "metal:1", "cuda", "cuda:3",
        ] {
            assert_eq!(parsed(word).map(|spec| spec.to_string()), Ok(word.into()));
        }
    }

    #[test]
    fn unknown_words_get_the_closest_known_one() {
        for (word, expected) in [
            ("cpu", Some(Backend::Flex)),
            ("CUDA", Some(Backend::Cuda)),
            ("gpu:1", Some(Backend::Wgpu)),
            ("webgpu", Some(Backend::Wgpu)),
            ("nd-array", Some(Backend::NdArray)),
            ("mps", Some(Backend::Metal)),
            ("vulcan", Some(Backend::Vulkan)),
            ("quantum", None),
            ("", None),
        ] {
            assert_eq!(
                parsed(word),
                Err(DeviceError::UnknownWord {
                    word: word.to_owned(),
                    suggestion: expected
                }),
                "{word}"
            );
        }
    }

    #[test]
    fn the_message_of_an_unknown_word_lists_the_known_ones() {
        let message = parsed("vulcan").map_err(|error| error.to_string());
        assert_eq!(
            message,
            Err("there is no device 'vulcan' (did you mean 'vulkan'?); known are flex, ndarray, wgpu, vulkan, metal, cuda".into())
        );
    }

    #[test]
    fn numbers_are_for_gpus_and_must_be_numbers() {
        assert_eq!(
            parsed("flex:0"),
            Err(DeviceError::NotNumbered {
                backend: Backend::Flex
            })
        );
        for text in ["", "x", "-1", "1.5", "99999999999999999999"] {
            assert_eq!(
                parsed(&format!("cuda:{text}")),
                Err(DeviceError::InvalidNumber {
                    backend: Backend::Cuda,
                    text: text.to_owned()
                })
            );
        }
    }

    #[test]
    fn a_backend_left_out_of_the_build_does_not_open() {
        for line in crate::available().filter(|line| !line.compiled_in) {
            assert_eq!(
                DeviceSpec::new(line.backend).open(),
                Err(DeviceError::NotCompiledIn {
                    backend: line.backend
                })
            );
        }
    }

    #[cfg(any(feature = "flex", feature = "ndarray"))]
    #[test]
    fn cpu_devices_open_and_compute() {
        use burn::tensor::Tensor;

        for backend in [Backend::Flex, Backend::NdArray] {
            if !backend.is_compiled_in() {
                continue;
            }
            let spec = DeviceSpec::new(backend);
            let opened = spec.open_described().expect("the CPU is always there");
            let sum = Tensor::<1>::from_floats([1.0, 2.0, 3.0], &opened.device).sum();
            assert_eq!(sum.into_scalar::<f32>(), 6.0);
            assert!(opened.description.starts_with("CPU"));
        }
    }

    #[cfg(feature = "wgpu")]
    #[test]
    fn a_number_beyond_the_adapters_is_an_error() {
        let spec = parsed("wgpu:999").expect("a well-formed word");
        assert!(matches!(
            spec.open(),
            Err(DeviceError::NoSuchNumber { found: 0..999, .. } | DeviceError::NoAdapter { .. })
        ));
    }

    /// Needs an adapter, which the machines that build with `wgpu` for tests have (a software one will do).
    #[cfg(feature = "wgpu")]
    #[test]
    fn a_wgpu_device_opens_twice_and_keeps_its_description() {
        let spec = DeviceSpec::new(Backend::Wgpu);
        let (first, second) = (spec.open(), spec.open());
        assert!(first.is_ok(), "{first:?}");
        assert_eq!(first, second);
        let opened = spec.open_described().expect("it is open");
        assert!(opened.description.contains(", through "), "{opened:?}");
        let name = opened.details.adapter.expect("an adapter has a name");
        assert!(opened.description.starts_with(&name), "{name}");
        assert!(opened.details.api.is_some() && opened.details.max_buffer_size > Some(0));
    }
}
