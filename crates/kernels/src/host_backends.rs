//! The fused operations on flex and ndarray: the same slices, two ways to get at them.

#![cfg_attr(
    feature = "ndarray",
    expect(
        deprecated,
        reason = "ndarray is a backend of this project until Burn drops it"
    )
)]

use std::borrow::Cow;

use burn::backend::Backend;
use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Shape, TensorData};

use crate::cpu::attention::{self, Inputs};
use crate::cpu::elementwise;
use crate::cpu::layer_norm::{self, Normalized};
use crate::host_ops::{AttentionNumbers, DropoutMask, HostKernels, HostOps, NormNumbers};

/// Tensors as slices in single precision.
pub(crate) trait Slices: Backend {
    /// The elements in row-major order, copied only if they do not lie like that.
    fn elements(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]>;

    /// A tensor that owns these elements.
    fn tensor(elements: Vec<f32>, shape: Shape) -> FloatTensor<Self>;
}

#[cfg(feature = "flex")]
impl Slices for burn::backend::Flex {
    fn elements(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]> {
        match tensor.as_slice::<f32>() {
            Some(slice) => Cow::Borrowed(slice),
            None => Cow::Owned(tensor.to_contiguous().storage().to_vec()),
        }
    }

    fn tensor(elements: Vec<f32>, shape: Shape) -> FloatTensor<Self> {
        burn::backend::flex::FlexTensor::from_data(TensorData::new(elements, shape))
    }
}

#[cfg(feature = "ndarray")]
impl Slices for burn::backend::NdArray {
    fn elements(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]> {
        use burn::backend::ndarray::NdArrayTensor;

        match tensor {
            NdArrayTensor::F32(storage) => {
                let view = storage.view();
                match view.to_slice() {
                    Some(slice) => Cow::Borrowed(slice),
                    None => Cow::Owned(view.iter().copied().collect()),
                }
            }
            _ => unreachable!(
                "the kernels take tensors of single precision, as their callers make sure"
            ),
        }
    }

    fn tensor(elements: Vec<f32>, shape: Shape) -> FloatTensor<Self> {
        burn::backend::ndarray::NdArrayTensor::from_data(TensorData::new(elements, shape))
    }
}

pub(crate) fn gelu<B: Slices>(x: &FloatTensor<B>) -> FloatTensor<B> {
    B::tensor(elementwise::gelu(&B::elements(x)), x.shape())
}

pub(crate) fn gelu_backward<B: Slices>(
    x: &FloatTensor<B>,
    grad: &FloatTensor<B>,
) -> FloatTensor<B> {
    let gradient = elementwise::gelu_backward(&B::elements(x), &B::elements(grad));
    B::tensor(gradient, x.shape())
}

fn norm<B: Slices>(
    [x, residual, gamma, beta]: &[FloatTensor<B>; 4],
    numbers: NormNumbers,
    saved: Option<&mut Normalized>,
) -> FloatTensor<B> {
    let output = layer_norm::forward(
        &B::elements(x),
        &B::elements(residual),
        &B::elements(gamma),
        &B::elements(beta),
        numbers,
        saved,
    );
    B::tensor(output, x.shape())
}

fn norm_saving<B: Slices>(
    inputs: &[FloatTensor<B>; 4],
    numbers: NormNumbers,
) -> [FloatTensor<B>; 3] {
    let mut saved = Normalized {
        normalized: Vec::new(),
        inverse_deviation: Vec::new(),
    };
    let output = norm::<B>(inputs, numbers, Some(&mut saved));
    let rows = Shape::new([saved.inverse_deviation.len()]);
    [
        output,
        B::tensor(saved.normalized, inputs[0].shape()),
        B::tensor(saved.inverse_deviation, rows),
    ]
}

fn norm_backward<B: Slices>(
    [normalized, inverse_deviation]: &[FloatTensor<B>; 2],
    gamma: &FloatTensor<B>,
    grad: &FloatTensor<B>,
    numbers: NormNumbers,
) -> [FloatTensor<B>; 4] {
    let gradients = layer_norm::backward(
        &B::elements(normalized),
        &B::elements(inverse_deviation),
        &B::elements(gamma),
        &B::elements(grad),
        numbers,
    );
    let residual = B::tensor(gradients.residual, grad.shape());
    let x = if gradients.x.is_empty() {
        residual.clone()
    } else {
        B::tensor(gradients.x, grad.shape())
    };
    [
        x,
        residual,
        B::tensor(gradients.gamma, gamma.shape()),
        B::tensor(gradients.beta, gamma.shape()),
    ]
}

fn attend<B: Slices>(
    [query, key, value, mask]: &[FloatTensor<B>; 4],
    numbers: AttentionNumbers,
) -> [FloatTensor<B>; 2] {
    let inputs = Inputs {
        query: &B::elements(query),
        key: &B::elements(key),
        value: &B::elements(value),
        mask: &B::elements(mask),
    };
    let (context, statistics) = attention::forward(inputs, numbers);
    let length = Shape::new([statistics.len()]);
    [
        B::tensor(context, query.shape()),
        B::tensor(statistics, length),
    ]
}

fn attend_backward<B: Slices>(
    [query, key, value, mask]: &[FloatTensor<B>; 4],
    saved: &FloatTensor<B>,
    grad: &FloatTensor<B>,
    numbers: AttentionNumbers,
) -> [FloatTensor<B>; 3] {
    let inputs = Inputs {
        query: &B::elements(query),
        key: &B::elements(key),
        value: &B::elements(value),
        mask: &B::elements(mask),
    };
    let gradients = attention::backward(inputs, &B::elements(saved), &B::elements(grad), numbers);
    let tensor = |elements| B::tensor(elements, query.shape());
    [
        tensor(gradients.query),
        tensor(gradients.key),
        tensor(gradients.value),
    ]
}

macro_rules! on_slices {
    ($backend:ty) => {
        impl HostOps for $backend {
            fn counted_dropout(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
                let dropped = elementwise::dropout(&Self::elements(&x), mask);
                Self::tensor(dropped, x.shape())
            }

            fn dropout_add_norm(
                x: FloatTensor<Self>,
                residual: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                numbers: NormNumbers,
            ) -> FloatTensor<Self> {
                norm::<Self>(&[x, residual, gamma, beta], numbers, None)
            }

            fn attend(
                query: FloatTensor<Self>,
                key: FloatTensor<Self>,
                value: FloatTensor<Self>,
                mask: FloatTensor<Self>,
                numbers: AttentionNumbers,
            ) -> FloatTensor<Self> {
                let [context, _] = attend::<Self>(&[query, key, value, mask], numbers);
                context
            }
        }

        impl HostKernels for $backend {
            fn dropout_add_norm_saving(
                inputs: [FloatTensor<Self>; 4],
                numbers: NormNumbers,
            ) -> [FloatTensor<Self>; 3] {
                norm_saving::<Self>(&inputs, numbers)
            }

            fn dropout_add_norm_backward(
                saved: [FloatTensor<Self>; 2],
                gamma: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                numbers: NormNumbers,
            ) -> [FloatTensor<Self>; 4] {
                norm_backward::<Self>(&saved, &gamma, &grad, numbers)
            }

            fn attend_saving(
                inputs: [FloatTensor<Self>; 4],
                numbers: AttentionNumbers,
            ) -> [FloatTensor<Self>; 2] {
                attend::<Self>(&inputs, numbers)
            }

            fn attend_backward(
                inputs: [FloatTensor<Self>; 4],
                saved: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                numbers: AttentionNumbers,
            ) -> [FloatTensor<Self>; 3] {
                attend_backward::<Self>(&inputs, &saved, &grad, numbers)
            }
        }
    };
}

#[cfg(feature = "flex")]
on_slices!(burn::backend::Flex);
#[cfg(feature = "ndarray")]
on_slices!(burn::backend::NdArray);
