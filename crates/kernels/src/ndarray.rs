#![expect(
    deprecated,
    reason = "ndarray is a backend of this project until Burn drops it"
)]

use burn::backend::NdArray;
use burn::backend::ndarray::NdArrayTensor;
use burn::backend::ops::ActivationOps;
use burn::tensor::TensorData;

use crate::adamw::{self, AdamWPrimitives, AdamWStep};
use crate::ops::BertOps;
use crate::{cpu, gelu, host_backends, norm};

impl BertOps for NdArray {
    fn erf_gelu(x: NdArrayTensor) -> NdArrayTensor {
        match x {
            NdArrayTensor::F32(_) => host_backends::gelu::<Self>(&x),
            _ => Self::gelu(x),
        }
    }

    fn erf_gelu_backward(x: NdArrayTensor, grad: NdArrayTensor) -> NdArrayTensor {
        match x {
            NdArrayTensor::F32(_) => host_backends::gelu_backward::<Self>(&x, &grad),
            _ => gelu::backward_of_primitives::<Self>(x, grad),
        }
    }

    fn adamw_update(
        mut parameter: NdArrayTensor,
        gradient: NdArrayTensor,
        mut first_moment: NdArrayTensor,
        mut second_moment: NdArrayTensor,
        step: AdamWStep,
    ) -> AdamWPrimitives<Self> {
        let done = update_in_place(
            &mut parameter,
            &gradient,
            &mut first_moment,
            &mut second_moment,
            &step,
        );
        match done {
            Some(()) => AdamWPrimitives {
                parameter,
                first_moment,
                second_moment,
            },
            None => adamw::composed_of_primitives::<Self>(
                parameter,
                gradient,
                first_moment,
                second_moment,
                step,
            ),
        }
    }

    fn sum_of_squares(x: NdArrayTensor) -> NdArrayTensor {
        let sum = match &x {
            NdArrayTensor::F32(storage) => storage
                .view()
                .as_slice()
                .map(cpu::optimizer::sum_of_squares),
            _ => None,
        };
        match sum {
            Some(sum) => NdArrayTensor::from_data(TensorData::from([sum as f32])),
            None => norm::composed_of_primitives::<Self>(x),
        }
    }
}

/// `None`, with nothing changed, where a tensor is not a plain array in single precision.
fn update_in_place(
    parameter: &mut NdArrayTensor,
    gradient: &NdArrayTensor,
    first_moment: &mut NdArrayTensor,
    second_moment: &mut NdArrayTensor,
    step: &AdamWStep,
) -> Option<()> {
    let NdArrayTensor::F32(gradient) = gradient else {
        return None;
    };
    let gradient = gradient.view();
    let gradient = gradient.as_slice()?;
    let parameter = slice_of(parameter)?;
    let first_moment = slice_of(first_moment)?;
    let second_moment = slice_of(second_moment)?;
    cpu::optimizer::adamw_update(parameter, gradient, first_moment, second_moment, step);
    Some(())
}

fn slice_of(tensor: &mut NdArrayTensor) -> Option<&mut [f32]> {
    let NdArrayTensor::F32(storage) = tensor else {
        return None;
    };
    if !storage.view().is_standard_layout() {
        return None;
    }
    storage.ensure_owned().as_slice_mut()
}
