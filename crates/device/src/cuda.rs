//! Devices of CUDA.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

use burn::tensor::{Device, DeviceType, Tensor};

use crate::{Details, DeviceError, DeviceSpec, OpenedDevice};

/// Opens the GPU and runs one kernel on it.
pub(crate) fn open(spec: DeviceSpec) -> Result<OpenedDevice, DeviceError> {
    let found = Device::enumerate(DeviceType::Cuda).len();
    if found == 0 {
        return Err(DeviceError::NoAdapter {
            device: spec,
            reason: "the NVIDIA driver is missing or shows no GPU".to_owned(),
        });
    }
    let number = spec.number().unwrap_or(0);
    if number >= found {
        return Err(DeviceError::NoSuchNumber {
            device: spec,
            found,
        });
    }
    let device = Device::cuda(number);
    match quietly(|| first_use(&device)) {
        Ok(adapter) => Ok(OpenedDevice {
            description: format!("{adapter}, through CUDA"),
            device,
            details: Details {
                adapter: Some(adapter),
                api: Some("CUDA".to_owned()),
                ..Details::default()
            },
        }),
        Err(reason) => Err(DeviceError::DoesNotStart {
            device: spec,
            reason,
        }),
    }
}

/// Compiles and runs a kernel, which is when a missing NVRTC or an unfit driver shows. Gives the GPU's name.
fn first_use(device: &Device) -> String {
    let ones = Tensor::<1>::ones([4], device);
    let _two: f32 = (ones.clone() + ones).mean().into_scalar();
    device
        .identity()
        .map_or_else(|| "NVIDIA GPU".to_owned(), |identity| identity.name)
}

/// Runs `action` and turns its panic into its message.
///
/// The runtime has no fallible way to start: it unwraps what the driver answers, on a thread of its own. So the panic
/// is caught, and the hook that would print it is silenced meanwhile, for every thread, because there is no other way.
fn quietly<T>(action: impl FnOnce() -> T) -> Result<T, String> {
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(action));
    set_hook(hook);
    outcome.map_err(|panic| panic_message(panic.as_ref()))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    if let Some(message) = panic.downcast_ref::<&str>() {
        (*message).to_owned()
    } else if let Some(message) = panic.downcast_ref::<String>() {
        message.clone()
    } else {
        "the CUDA runtime stopped without a message".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(quietly(|| 3), Ok(3));
        let number = 7;
        assert_eq!(
            quietly(|| -> () { panic!("driver said {number}") }),
            Err("driver said 7".to_owned())
        );
    }
}
