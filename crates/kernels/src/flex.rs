use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::ops::ActivationOps;
use burn::tensor::{DType, TensorData};

use crate::adamw::{self, AdamWPrimitives, AdamWStep};
use crate::ops::BertOps;
use crate::{cpu, host_backends, norm};

impl BertOps for Flex {
    fn erf_gelu(x: FlexTensor) -> FlexTensor {
        match x.dtype() {
            DType::F32 => host_backends::gelu::<Self>(&x),
            _ => Self::gelu(x),
        }
    }

    fn erf_gelu_backward(x: FlexTensor, grad: FlexTensor) -> FlexTensor {
        match x.dtype() {
            DType::F32 => host_backends::gelu_backward::<Self>(&x, &grad),
            // Flex's own is the exact derivative, too.
            _ => Self::gelu_backward(x, grad),
        }
    }

    fn adamw_update(
        mut parameter: FlexTensor,
        gradient: FlexTensor,
        mut first_moment: FlexTensor,
        mut second_moment: FlexTensor,
        step: AdamWStep,
    ) -> AdamWPrimitives<Self> {
        let gradient = if gradient.is_contiguous() {
            gradient
        } else {
            gradient.to_contiguous()
        };
        let are_plain = [&parameter, &first_moment, &second_moment]
            .into_iter()
            .all(is_plain);
        match gradient.as_slice::<f32>() {
            Some(gradient) if are_plain => {
                cpu::optimizer::adamw_update(
                    parameter.storage_mut(),
                    gradient,
                    first_moment.storage_mut(),
                    second_moment.storage_mut(),
                    &step,
                );
                AdamWPrimitives {
                    parameter,
                    first_moment,
                    second_moment,
                }
            }
            _ => adamw::composed_of_primitives::<Self>(
                parameter,
                gradient,
                first_moment,
                second_moment,
                step,
            ),
        }
    }

    fn sum_of_squares(x: FlexTensor) -> FlexTensor {
        match x.as_slice::<f32>() {
            Some(values) => {
                let sum = cpu::optimizer::sum_of_squares(values) as f32;
                FlexTensor::from_data(TensorData::from([sum]))
            }
            None => norm::composed_of_primitives::<Self>(x),
        }
    }
}

/// Whether the buffer holds exactly this tensor's elements, in order, in single precision.
fn is_plain(tensor: &FlexTensor) -> bool {
    let elements = tensor.layout().num_elements();
    tensor.dtype() == DType::F32
        && tensor.layout().contiguous_offsets() == Some((0, elements))
        && tensor.bytes().len() == elements * size_of::<f32>()
}
