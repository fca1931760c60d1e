//! The kernels on the tensors of flex and ndarray. They work on slices; [`Slices`] is how a backend gives them.

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
mod feed_forward;
mod halves;
mod linear;
mod low_rank;
mod norm;

use std::borrow::Cow;

use burn::backend::Backend;
use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{Shape, TensorData, read_sync};

use crate::attention::SavedAttention;
use crate::cpu::elementwise;
use crate::cross_entropy::SavedCrossEntropy;
use crate::embeddings::SavedEmbeddings;
use crate::feed_forward::FeedForwardParams;
use crate::host_ops::{HostKernels, HostOps};
use crate::layer_norm::SavedNorm;
use crate::linear::{LinearParams, SavedLinear};
use crate::low_rank::SavedLowRank;
use crate::params::{AttentionParams, DropoutMask, EmbeddingParams, NormParams};
use crate::relative::{PositionKind, Positions, Relative};

/// Tensors as slices in single precision.
pub(crate) trait Slices: Backend {
    /// The elements in row-major order, copied only if the tensor is not contiguous.
    fn elements(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]>;

    /// A tensor that owns these elements.
    fn tensor(elements: Vec<f32>, shape: Shape) -> FloatTensor<Self>;

    /// `f` of each integer, in row-major order, read where the tensor keeps them.
    fn map_integers<T>(tensor: &IntTensor<Self>, f: impl Fn(i64) -> T) -> Vec<T>;
}

/// `f` of each integer of a tensor of a type other than `i64` and `i32`, through a copy.
fn map_copied<B: Backend, T>(tensor: &IntTensor<B>, f: impl Fn(i64) -> T) -> Vec<T> {
    let data = read_sync(B::int_into_data(tensor.clone())).expect("the tensor lies in memory");
    data.iter::<i64>().map(f).collect()
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

    fn map_integers<T>(tensor: &IntTensor<Self>, f: impl Fn(i64) -> T) -> Vec<T> {
        match (tensor.as_slice::<i64>(), tensor.as_slice::<i32>()) {
            (Some(integers), _) => integers.iter().copied().map(f).collect(),
            (_, Some(integers)) => integers.iter().map(|&integer| f(integer.into())).collect(),
            _ => map_copied::<Self, T>(tensor, f),
        }
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
            _ => unreachable!("callers give the kernels tensors of single precision"),
        }
    }

    fn tensor(elements: Vec<f32>, shape: Shape) -> FloatTensor<Self> {
        burn::backend::ndarray::NdArrayTensor::from_data(TensorData::new(elements, shape))
    }

    fn map_integers<T>(tensor: &IntTensor<Self>, f: impl Fn(i64) -> T) -> Vec<T> {
        use burn::backend::ndarray::NdArrayTensor;

        match tensor {
            NdArrayTensor::I64(integers) => integers.view().iter().copied().map(f).collect(),
            NdArrayTensor::I32(integers) => {
                let integers = integers.view();
                integers.iter().map(|&integer| f(integer.into())).collect()
            }
            _ => map_copied::<Self, T>(tensor, f),
        }
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

/// The integers as rows of a table. A negative one becomes a row that no table has.
fn table_rows<B: Slices>(tensor: &IntTensor<B>) -> Vec<usize> {
    B::map_integers(tensor, |row| usize::try_from(row).unwrap_or(usize::MAX))
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
                params: NormParams,
            ) -> FloatTensor<Self> {
                norm::forward::<Self>(&[x, residual, gamma, beta], params)
            }

            fn rotary(
                joined: FloatTensor<Self>,
                cos: FloatTensor<Self>,
                sin: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                halves::rotated::<Self>(&joined, &cos, &sin)
            }

            fn gated_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
                halves::gated_gelu::<Self>(&x)
            }

            fn attention(
                joined: FloatTensor<Self>,
                mask: FloatTensor<Self>,
                params: AttentionParams,
            ) -> FloatTensor<Self> {
                attention::forward::<Self>(vec![joined], Relative::Nothing, mask, params).0
            }

            fn biased_attention(
                joined: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                mask: FloatTensor<Self>,
                params: AttentionParams,
            ) -> FloatTensor<Self> {
                attention::forward::<Self>(vec![joined], Relative::Bias(bias), mask, params).0
            }

            fn attention_to_positions(
                joined: FloatTensor<Self>,
                positions: FloatTensor<Self>,
                mask: FloatTensor<Self>,
                params: AttentionParams,
                kind: PositionKind,
            ) -> FloatTensor<Self> {
                let relative = Relative::Positions(kind.alone(positions));
                attention::forward::<Self>(vec![joined], relative, mask, params).0
            }

            fn disentangled_attention(
                joined: FloatTensor<Self>,
                keys: FloatTensor<Self>,
                queries: FloatTensor<Self>,
                mask: FloatTensor<Self>,
                params: AttentionParams,
            ) -> FloatTensor<Self> {
                let relative = Relative::Positions(Positions::both(keys, queries));
                attention::forward::<Self>(vec![joined], relative, mask, params).0
            }

            fn cross_attention(
                queries: FloatTensor<Self>,
                keys_values: FloatTensor<Self>,
                mask: FloatTensor<Self>,
                params: AttentionParams,
            ) -> FloatTensor<Self> {
                let inputs = vec![queries, keys_values];
                attention::forward::<Self>(inputs, Relative::Nothing, mask, params).0
            }

            fn linear(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                params: LinearParams,
            ) -> FloatTensor<Self> {
                Self::linear_of(vec![x, weight, bias], &params)
            }

            fn linear_kv(
                x: FloatTensor<Self>,
                weight_1: FloatTensor<Self>,
                bias_1: FloatTensor<Self>,
                weight_2: FloatTensor<Self>,
                bias_2: FloatTensor<Self>,
                params: LinearParams,
            ) -> FloatTensor<Self> {
                Self::linear_of(vec![x, weight_1, bias_1, weight_2, bias_2], &params)
            }

            fn linear_qkv(
                x: FloatTensor<Self>,
                weight_1: FloatTensor<Self>,
                bias_1: FloatTensor<Self>,
                weight_2: FloatTensor<Self>,
                bias_2: FloatTensor<Self>,
                weight_3: FloatTensor<Self>,
                bias_3: FloatTensor<Self>,
                params: LinearParams,
            ) -> FloatTensor<Self> {
                let inputs = vec![x, weight_1, bias_1, weight_2, bias_2, weight_3, bias_3];
                Self::linear_of(inputs, &params)
            }

            fn feed_forward(
                x: FloatTensor<Self>,
                weight_1: FloatTensor<Self>,
                bias_1: FloatTensor<Self>,
                weight_2: FloatTensor<Self>,
                bias_2: FloatTensor<Self>,
                params: FeedForwardParams,
            ) -> FloatTensor<Self> {
                Self::feed_forward_of([x, weight_1, bias_1, weight_2, bias_2], &params)
            }

            fn embed(
                words: FloatTensor<Self>,
                positions: FloatTensor<Self>,
                token_types: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                input_ids: IntTensor<Self>,
                position_ids: IntTensor<Self>,
                token_type_ids: IntTensor<Self>,
                params: EmbeddingParams,
            ) -> FloatTensor<Self> {
                let weights = [words, positions, token_types, gamma, beta];
                let ids = [input_ids, position_ids, token_type_ids];
                embeddings::forward::<Self>(&weights, ids, params)
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
                params: NormParams,
            ) -> (FloatTensor<Self>, SavedNorm<FloatTensor<Self>>) {
                norm::forward_saving::<Self>(&inputs, params)
            }

            fn dropout_add_norm_backward(
                saved: SavedNorm<FloatTensor<Self>>,
                gamma: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                params: NormParams,
            ) -> [FloatTensor<Self>; 4] {
                norm::backward::<Self>(&saved, &gamma, &grad, params)
            }

            fn gated_gelu_backward(
                x: FloatTensor<Self>,
                grad: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                halves::gated_gelu_backward::<Self>(&x, &grad)
            }

            fn attention_saving(
                inputs: Vec<FloatTensor<Self>>,
                relative: Relative<FloatTensor<Self>>,
                mask: FloatTensor<Self>,
                params: AttentionParams,
            ) -> (FloatTensor<Self>, SavedAttention<FloatTensor<Self>>) {
                attention::forward::<Self>(inputs, relative, mask, params)
            }

            fn attention_backward(
                saved: SavedAttention<FloatTensor<Self>>,
                grad: FloatTensor<Self>,
            ) -> Vec<FloatTensor<Self>> {
                attention::backward::<Self>(saved, &grad)
            }

            fn linear_of(
                inputs: Vec<FloatTensor<Self>>,
                params: &LinearParams,
            ) -> FloatTensor<Self> {
                linear::forward::<Self>(&inputs, params)
            }

            fn linear_saving(
                inputs: Vec<FloatTensor<Self>>,
                params: &LinearParams,
                keeps_input: bool,
            ) -> (FloatTensor<Self>, SavedLinear<FloatTensor<Self>>) {
                let (y, activations) = linear::forward_saving::<Self>(&inputs, params, keeps_input);
                let saved = SavedLinear {
                    weights: inputs[1..].iter().step_by(2).cloned().collect(),
                    activations,
                };
                (y, saved)
            }

            fn linear_backward(
                saved: SavedLinear<FloatTensor<Self>>,
                grad: FloatTensor<Self>,
                wanted: &[bool],
            ) -> Vec<Option<FloatTensor<Self>>> {
                linear::backward::<Self>(&saved, grad, wanted)
            }

            fn feed_forward_of(
                inputs: [FloatTensor<Self>; 5],
                params: &FeedForwardParams,
            ) -> FloatTensor<Self> {
                feed_forward::forward::<Self>(&inputs, params)
            }

            fn feed_forward_saving(
                inputs: [FloatTensor<Self>; 5],
                params: &FeedForwardParams,
                keeps_input: bool,
            ) -> (FloatTensor<Self>, SavedLinear<FloatTensor<Self>>) {
                feed_forward::forward_saving::<Self>(&inputs, params, keeps_input)
            }

            fn feed_forward_backward(
                saved: SavedLinear<FloatTensor<Self>>,
                grad: FloatTensor<Self>,
                wanted: &[bool],
            ) -> Vec<Option<FloatTensor<Self>>> {
                feed_forward::backward::<Self>(saved, grad, wanted)
            }

            fn low_rank_gradients(
                saved: SavedLowRank<FloatTensor<Self>>,
                grad: FloatTensor<Self>,
            ) -> Vec<FloatTensor<Self>> {
                low_rank::gradients::<Self>(&saved, &grad)
            }

            fn embed_saving(
                weights: [FloatTensor<Self>; 5],
                ids: [IntTensor<Self>; 3],
                params: EmbeddingParams,
            ) -> (FloatTensor<Self>, SavedEmbeddings<FloatTensor<Self>>) {
                embeddings::forward_saving::<Self>(&weights, ids, params)
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
