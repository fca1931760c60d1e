//! The fused operations on flex and ndarray: the same slices, two ways to get at them.

#![cfg_attr(
    feature = "ndarray",
    expect(
        deprecated,
        reason = "ndarray is a backend of this project until Burn drops it"
    )
)]

mod attention;
mod cross_entropy;
mod embeddings;
mod linear;
mod norm;

use std::borrow::Cow;

use burn::backend::Backend;
use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{Shape, TensorData, read_sync};

use crate::cpu::elementwise;
use crate::cross_entropy::SavedCrossEntropy;
use crate::embeddings::SavedEmbeddings;
use crate::host_ops::{
    AttentionNumbers, DropoutMask, EmbeddingNumbers, Epilogue, HostKernels, HostOps, LinearNumbers,
    NormNumbers,
};
use crate::linear::SavedLinear;

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

/// The elements, which lie in memory already.
fn host_data<B: Slices>(tensor: IntTensor<B>) -> TensorData {
    read_sync(B::int_into_data(tensor)).expect("the tensor lies in memory")
}

/// The elements as numbers of rows; a negative one becomes one that no table has.
fn row_numbers<B: Slices>(tensor: IntTensor<B>) -> Vec<usize> {
    let data = host_data::<B>(tensor);
    let rows = data.iter::<i64>();
    rows.map(|row| usize::try_from(row).unwrap_or(usize::MAX))
        .collect()
}

macro_rules! on_slices {
    ($backend:ty) => {
        impl HostOps for $backend {
            fn counted_dropout(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
                let dropped = elementwise::dropout(Self::elements(&x), mask);
                Self::tensor(dropped, x.shape())
            }

            fn dropout_add_norm(
                x: FloatTensor<Self>,
                residual: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                numbers: NormNumbers,
            ) -> FloatTensor<Self> {
                norm::forward::<Self>(&[x, residual, gamma, beta], numbers)
            }

            fn attend(
                joined: FloatTensor<Self>,
                mask: FloatTensor<Self>,
                numbers: AttentionNumbers,
            ) -> FloatTensor<Self> {
                let [context, _] = attention::forward::<Self>(&[joined], &mask, &numbers);
                context
            }

            fn attend_of(
                queries: FloatTensor<Self>,
                keys_values: FloatTensor<Self>,
                mask: FloatTensor<Self>,
                numbers: AttentionNumbers,
            ) -> FloatTensor<Self> {
                let [context, _] =
                    attention::forward::<Self>(&[queries, keys_values], &mask, &numbers);
                context
            }

            fn linear(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                numbers: LinearNumbers,
            ) -> FloatTensor<Self> {
                Self::linear_of(vec![x, weight, bias], &numbers)
            }

            fn linear_pair(
                x: FloatTensor<Self>,
                weight_1: FloatTensor<Self>,
                bias_1: FloatTensor<Self>,
                weight_2: FloatTensor<Self>,
                bias_2: FloatTensor<Self>,
                numbers: LinearNumbers,
            ) -> FloatTensor<Self> {
                Self::linear_of(vec![x, weight_1, bias_1, weight_2, bias_2], &numbers)
            }

            fn linear_joined(
                x: FloatTensor<Self>,
                weight_1: FloatTensor<Self>,
                bias_1: FloatTensor<Self>,
                weight_2: FloatTensor<Self>,
                bias_2: FloatTensor<Self>,
                weight_3: FloatTensor<Self>,
                bias_3: FloatTensor<Self>,
                numbers: LinearNumbers,
            ) -> FloatTensor<Self> {
                let inputs = vec![x, weight_1, bias_1, weight_2, bias_2, weight_3, bias_3];
                Self::linear_of(inputs, &numbers)
            }

            fn embed(
                words: FloatTensor<Self>,
                positions: FloatTensor<Self>,
                token_types: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                input_ids: IntTensor<Self>,
                token_type_ids: IntTensor<Self>,
                numbers: EmbeddingNumbers,
            ) -> FloatTensor<Self> {
                let weights = [words, positions, token_types, gamma, beta];
                embeddings::forward::<Self>(&weights, [input_ids, token_type_ids], &numbers)
            }

            fn cross_entropy(
                logits: FloatTensor<Self>,
                labels: IntTensor<Self>,
            ) -> FloatTensor<Self> {
                cross_entropy::forward::<Self>(logits, labels).0
            }
        }

        impl HostKernels for $backend {
            fn dropout_add_norm_saving(
                inputs: [FloatTensor<Self>; 4],
                numbers: NormNumbers,
            ) -> [FloatTensor<Self>; 3] {
                norm::forward_saving::<Self>(&inputs, numbers)
            }

            fn dropout_add_norm_backward(
                saved: [FloatTensor<Self>; 2],
                gamma: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                numbers: NormNumbers,
            ) -> [FloatTensor<Self>; 4] {
                norm::backward::<Self>(&saved, &gamma, &grad, numbers)
            }

            fn attend_saving(
                inputs: Vec<FloatTensor<Self>>,
                mask: FloatTensor<Self>,
                numbers: AttentionNumbers,
            ) -> [FloatTensor<Self>; 2] {
                attention::forward::<Self>(&inputs, &mask, &numbers)
            }

            fn attend_backward(
                inputs: Vec<FloatTensor<Self>>,
                mask: FloatTensor<Self>,
                saved: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                numbers: AttentionNumbers,
            ) -> Vec<FloatTensor<Self>> {
                attention::backward::<Self>(&inputs, &mask, &saved, &grad, &numbers)
            }

            fn linear_of(
                inputs: Vec<FloatTensor<Self>>,
                numbers: &LinearNumbers,
            ) -> FloatTensor<Self> {
                linear::forward::<Self>(&inputs, numbers)
            }

            fn linear_saving(
                inputs: Vec<FloatTensor<Self>>,
                epilogue: Epilogue,
            ) -> (FloatTensor<Self>, SavedLinear<FloatTensor<Self>>) {
                let (y, slope) = linear::forward_saving::<Self>(&inputs, epilogue);
                let saved = SavedLinear {
                    x: inputs[0].clone(),
                    weights: inputs[1..].iter().step_by(2).cloned().collect(),
                    slope,
                };
                (y, saved)
            }

            fn linear_backward(
                saved: SavedLinear<FloatTensor<Self>>,
                grad: FloatTensor<Self>,
                wanted: &[bool],
            ) -> Vec<Option<FloatTensor<Self>>> {
                linear::backward::<Self>(&saved, &grad, wanted)
            }

            fn embed_saving(
                weights: [FloatTensor<Self>; 5],
                ids: [IntTensor<Self>; 2],
                numbers: EmbeddingNumbers,
            ) -> (FloatTensor<Self>, SavedEmbeddings<FloatTensor<Self>>) {
                embeddings::forward_saving::<Self>(&weights, ids, numbers)
            }

            fn embed_backward(
                saved: SavedEmbeddings<FloatTensor<Self>>,
                grad: FloatTensor<Self>,
                wanted: [bool; 5],
            ) -> [Option<FloatTensor<Self>>; 5] {
                embeddings::backward::<Self>(&saved, &grad, wanted)
            }

            fn cross_entropy_saving(
                logits: FloatTensor<Self>,
                labels: IntTensor<Self>,
            ) -> (FloatTensor<Self>, SavedCrossEntropy<FloatTensor<Self>>) {
                cross_entropy::forward::<Self>(logits, labels)
            }

            fn cross_entropy_backward(
                saved: SavedCrossEntropy<FloatTensor<Self>>,
                grad: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                cross_entropy::backward::<Self>(&saved, &grad)
            }
        }
    };
}

#[cfg(feature = "flex")]
on_slices!(burn::backend::Flex);
#[cfg(feature = "ndarray")]
on_slices!(burn::backend::NdArray);
