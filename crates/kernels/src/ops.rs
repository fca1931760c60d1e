#![cfg_attr(
    feature = "ndarray",
    expect(
        deprecated,
        reason = "ndarray is a backend of this project until Burn drops it"
    )
)]
#![cfg_attr(
    not(any(
        feature = "flex",
        feature = "ndarray",
        feature = "wgpu",
        feature = "cuda"
    )),
    allow(
        unused_variables,
        reason = "without a backend there is nothing to dispatch to"
    )
)]

use burn::backend::Backend;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, backend_extension};

use crate::adamw::{self, AdamWPrimitives, AdamWStep};
use crate::{embedding, gelu, hand_over, norm};

/// The operations of this crate on the primitives of one backend.
///
/// The functions on [`Tensor`](burn::Tensor)s call them ([`gelu`](crate::gelu()), [`embedding`](crate::embedding())).
#[backend_extension(
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(any(feature = "wgpu", feature = "cuda")),
    Autodiff
)]
pub(crate) trait BertOps: Backend {
    /// `x · Φ(x)` element by element, Φ being the standard normal distribution function.
    fn erf_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::gelu(x)
    }

    /// `grad · (Φ(x) + x · φ(x))`: the exact derivative of [`erf_gelu`](Self::erf_gelu) times the gradient of its output.
    fn erf_gelu_backward(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::backward_of_primitives::<Self>(x, grad)
    }

    /// Rows of `weight` `[V, H]` picked by `ids` `[T]`, as `[T, H]`; the row `padding_idx` receives no gradient.
    fn padded_embedding(
        weight: FloatTensor<Self>,
        ids: IntTensor<Self>,
        padding_idx: usize,
    ) -> FloatTensor<Self> {
        let _ = padding_idx;
        Self::float_select(weight, 0, ids)
    }

    /// `x`, whose gradient is handed over under a number once all operations deeper than `depth` are done.
    fn handed_over(
        x: FloatTensor<Self>,
        depth: FloatTensor<Self>,
        number: usize,
    ) -> FloatTensor<Self> {
        let _ = (depth, number);
        x
    }

    /// One AdamW step on tensors `[N]`; not differentiable.
    fn adamw_update(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first_moment: FloatTensor<Self>,
        second_moment: FloatTensor<Self>,
        step: AdamWStep,
    ) -> AdamWPrimitives<Self> {
        adamw::composed_of_primitives::<Self>(
            parameter,
            gradient,
            first_moment,
            second_moment,
            step,
        )
    }

    /// The sum of the squares of all elements, `[1]`.
    fn sum_of_squares(x: FloatTensor<Self>) -> FloatTensor<Self> {
        norm::composed_of_primitives::<Self>(x)
    }
}

impl<B: BertOps, C: CheckpointStrategy> BertOps for Autodiff<B, C> {
    fn erf_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::tracked::<B, C>(x)
    }

    fn padded_embedding(
        weight: FloatTensor<Self>,
        ids: IntTensor<Self>,
        padding_idx: usize,
    ) -> FloatTensor<Self> {
        embedding::tracked::<B, C>(weight, ids, padding_idx)
    }

    fn handed_over(
        x: FloatTensor<Self>,
        depth: FloatTensor<Self>,
        number: usize,
    ) -> FloatTensor<Self> {
        hand_over::tracked::<B, C>(x, depth, number)
    }
}
