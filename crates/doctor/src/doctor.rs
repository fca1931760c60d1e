use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bert_device::Backend;
use bert_kernels::has_kernels;
use bert_parity::{Comparisons, Fault};
use burn::tensor::{DType, Device};

use crate::{Check, DoctorError, Fixtures, Group, Item, Outcome};

/// Runs checks on one device.
#[derive(Debug)]
pub struct Doctor {
    backend: Backend,
    device: Device,
    fixtures: Fixtures,
    fault: Option<Fault>,
}

impl Doctor {
    /// Unpacks the golden files. `device` is one of the backend, without autodiff.
    ///
    /// # Errors
    /// The system's folder for temporary files cannot be written.
    pub fn new(backend: Backend, device: Device) -> Result<Self, DoctorError> {
        Ok(Self {
            backend,
            device,
            fixtures: Fixtures::unpack()?,
            fault: None,
        })
    }

    /// Makes a mistake in some gradients, as a test does that wants to see it found.
    pub fn with_fault(self, fault: Fault) -> Self {
        let fault = Some(fault);
        Self { fault, ..self }
    }

    /// Makes a check. What goes wrong within it, a panic of the driver's among that, is its failure.
    pub fn examine(&self, item: &Item) -> Outcome {
        let (group, name) = (item.group, item.name.clone());
        if item.needs_a_cpu() && !has_kernels(&self.device) {
            let reason = format!(
                "{group} is for flex and ndarray; {} computes in f32",
                self.backend
            );
            return Outcome::not_run(group, name, reason);
        }
        let comparisons = Comparisons::on(self.backend).with_fault(self.fault.clone());
        let mut check = Check::new(&self.device, self.fixtures.path(), comparisons);
        let ran = catch_unwind(AssertUnwindSafe(|| item.run(&mut check)));
        let error = match ran {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(panic) => Some(format!("it panicked: {}", message(panic.as_ref()))),
        };
        Outcome::of(group, name, check.comparisons.into_made(), error)
    }

    /// What this project has no training in, and whether the device would have it.
    pub fn half_precision(&self) -> Outcome {
        let has = |name, dtype| match self.device.supports_dtype(dtype) {
            true => format!("the device has {name}"),
            false => format!("the device has no {name}"),
        };
        let reason = format!(
            "bert keeps its tensors in f32 on every device; {}, {}",
            has("f16", DType::F16),
            has("bf16", DType::BF16)
        );
        Outcome::not_run(Group::Bf16, "tensors of f16 and bf16".to_owned(), reason)
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
