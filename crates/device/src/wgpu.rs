//! Devices of wgpu. The adapters are asked for before anything is created, so that a machine without one gets an
//! error: the runtime's own lazy start panics.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use burn::tensor::wgpu::wgpu::{Adapter, DeviceType as AdapterType};
use burn::tensor::wgpu::{WgpuBackend, WgpuInitError};
use burn::tensor::{Device, DeviceKind, DeviceType};

use crate::{Details, DeviceError, DeviceSpec, OpenedDevice};

/// A graphics API to be pinned, or the automatic choice.
pub(crate) struct Api {
    /// What the runtime is asked to pin.
    backend: WgpuBackend,
    /// What the devices are listed by.
    filter: DeviceType,
    /// The handle of a device that the runtime already has, or starts at first use.
    handle: fn(DeviceKind) -> Device,
}

pub(crate) const AUTO: Api = Api {
    backend: WgpuBackend::Auto,
    filter: DeviceType::Wgpu,
    handle: Device::wgpu,
};

#[cfg(feature = "vulkan")]
pub(crate) const VULKAN: Api = Api {
    backend: WgpuBackend::Vulkan,
    filter: DeviceType::Vulkan,
    handle: Device::vulkan,
};

#[cfg(feature = "metal")]
pub(crate) const METAL: Api = Api {
    backend: WgpuBackend::Metal,
    filter: DeviceType::Metal,
    handle: Device::metal,
};

/// What is known of the devices that run: the runtime registers each once for the life of the process and tells of the
/// adapter only then.
static RUNNING: Mutex<BTreeMap<DeviceSpec, Known>> = Mutex::new(BTreeMap::new());

/// The description of a device, and its details.
type Known = (String, Details);

/// Starts the device, or hands out the one that runs.
pub(crate) fn open(spec: DeviceSpec, api: &Api) -> Result<OpenedDevice, DeviceError> {
    // Held throughout: starting one device on two threads is an error of the runtime.
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let kind = match spec.number() {
        None => DeviceKind::DefaultDevice,
        Some(number) => numbered(spec, number, api)?,
    };
    if let Some((description, details)) = running.get(&spec).cloned() {
        return Ok(OpenedDevice {
            device: (api.handle)(kind),
            description,
            details,
        });
    }
    let opened = start(spec, kind, api)?;
    let known = (opened.description.clone(), opened.details.clone());
    running.insert(spec, known);
    Ok(opened)
}

fn start(spec: DeviceSpec, kind: DeviceKind, api: &Api) -> Result<OpenedDevice, DeviceError> {
    let started = Device::wgpu_options()
        .device_kind(kind.clone())
        .graphics_api(api.backend)
        .init_with_setup();
    match started {
        Ok((device, setup)) => {
            let (description, details) = known(&setup.adapter);
            Ok(OpenedDevice {
                device,
                description,
                details,
            })
        }
        // Somebody else in this process uses it already, so it runs, though without telling its API.
        Err(WgpuInitError::Registration { .. }) => {
            let device = (api.handle)(kind);
            let description = device
                .identity()
                .map_or_else(|| spec.to_string(), |identity| identity.name);
            Ok(OpenedDevice {
                device,
                description,
                details: Details::default(),
            })
        }
        Err(WgpuInitError::AdapterUnavailable { message, .. }) => Err(DeviceError::NoAdapter {
            device: spec,
            reason: message,
        }),
        Err(error @ WgpuInitError::UnsupportedGraphicsApi { .. }) => Err(DeviceError::NoAdapter {
            device: spec,
            reason: error.to_string(),
        }),
        Err(error) => Err(DeviceError::DoesNotStart {
            device: spec,
            reason: error.to_string(),
        }),
    }
}

/// The adapter that a number names: discrete GPUs first, then integrated, virtual and software ones.
fn numbered(spec: DeviceSpec, number: usize, api: &Api) -> Result<DeviceKind, DeviceError> {
    let listed = Device::enumerate(api.filter.clone());
    if listed.is_empty() {
        return Err(DeviceError::NoAdapter {
            device: spec,
            reason: "no adapter found".to_owned(),
        });
    }
    let of_kind = |kind: fn(usize) -> DeviceKind| (0..listed.len()).map(kind);
    let kinds: Vec<DeviceKind> = of_kind(DeviceKind::DiscreteGpu)
        .chain(of_kind(DeviceKind::IntegratedGpu))
        .chain(of_kind(DeviceKind::VirtualGpu))
        .chain([DeviceKind::Cpu])
        .filter(|kind| listed.contains(&(api.handle)(kind.clone())))
        .collect();
    kinds.get(number).cloned().ok_or(DeviceError::NoSuchNumber {
        device: spec,
        found: kinds.len(),
    })
}

fn known(adapter: &Adapter) -> Known {
    let info = adapter.get_info();
    let kind = match info.device_type {
        AdapterType::DiscreteGpu => "discrete GPU",
        AdapterType::IntegratedGpu => "integrated GPU",
        AdapterType::VirtualGpu => "virtual GPU",
        AdapterType::Cpu => "software on the CPU",
        AdapterType::Other => "unknown kind",
    };
    let api = format!("{:?}", info.backend);
    let description = format!("{} ({kind}), through {api}", info.name);
    let driver = format!("{} {}", info.driver, info.driver_info);
    let driver = driver.trim().to_owned();
    let features = adapter.features();
    let details = Details {
        adapter: Some(info.name),
        kind: Some(kind),
        api: Some(api),
        driver: (!driver.is_empty()).then_some(driver),
        ids: Some([info.vendor, info.device]),
        features: features
            .iter_names()
            .map(|(name, _)| name.to_owned())
            .collect(),
        max_buffer_size: Some(adapter.limits().max_buffer_size),
        subgroup: Some([info.subgroup_min_size, info.subgroup_max_size]),
    };
    (description, details)
}
