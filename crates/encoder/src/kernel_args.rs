//! Burn's layers as arguments of the operations of `bert-kernels`.

use std::sync::Arc;

use bert_kernels::{
    DropoutMask, LinearWeights, NormParams, PackedWeight, Precision, WeightFormat,
    dropout_add_norm, has_kernels, on_kernel_threads,
};
use burn::module::Param;
use burn::nn::{Dropout, LayerNorm};
use burn::tensor::{Device, Tensor};

use crate::{Linear, LowRank};

/// Runs inference on the kernels' threads. Work with gradients stays on the thread where Burn expects it.
pub(crate) fn on_threads_of<R: Send>(device: &Device, work: impl FnOnce() -> R + Send) -> R {
    if has_kernels(device) && !device.is_autodiff() {
        on_kernel_threads(work)
    } else {
        work()
    }
}

/// The mask of a dropout in an operation on this tensor.
pub(crate) fn mask<const D: usize>(dropout: &Dropout, x: &Tensor<D>) -> DropoutMask {
    if dropout.training.is_enabled() && x.device().is_autodiff() {
        DropoutMask::draw(dropout.prob, x)
    } else {
        DropoutMask::NONE
    }
}

/// Places for so many packed weights.
pub(crate) fn packed_weights<const COUNT: usize>(
    format: WeightFormat,
) -> [Arc<PackedWeight>; COUNT] {
    std::array::from_fn(|_| Arc::new(PackedWeight::new(format)))
}

/// The weights of a map with its adapter, and where its packed weight is kept. Its precision is for gradients alone.
pub(crate) fn weights(linear: &Linear, packed: Option<&Arc<PackedWeight>>) -> LinearWeights {
    LinearWeights {
        weight: linear.weight.val(),
        bias: linear.bias.as_ref().map(Param::val),
        packed: packed.cloned(),
        low_rank: linear.low_rank.as_ref().map(LowRank::weights),
        precision: precision(linear),
    }
}

/// The precision in which a map is trained, or single precision where there are no gradients.
pub(crate) fn precision(linear: &Linear) -> Precision {
    match linear.weight.val().device().is_autodiff() {
        true => linear.precision,
        false => Precision::F32,
    }
}

/// Dropout, in training.
pub(crate) fn dropped(x: Tensor<2>, dropout: &Dropout) -> Tensor<2> {
    let mask = mask(dropout, &x);
    if mask == DropoutMask::NONE {
        return x;
    }
    bert_kernels::dropout(x, mask)
}

/// `LayerNorm(x)`. `epsilon` is the one that `norm` was made with.
///
/// # Shapes
///
/// `[T, H]` → `[T, H]`.
pub(crate) fn norm(x: Tensor<2>, norm: &LayerNorm, epsilon: f64) -> Tensor<2> {
    let beta = norm.beta.as_ref().map(Param::val);
    bert_kernels::layer_norm(x, norm.gamma.val(), beta, epsilon)
}

/// `LayerNorm(residual + dropout(x))`. `epsilon` is the one that `norm` was made with; `linear` computes `x`, and its precision
/// is also that of the rows that are kept for the backward pass.
///
/// # Shapes
///
/// `x`, `residual` `[T, H]` → `[T, H]`.
pub(crate) fn add_norm(
    (x, linear): (Tensor<2>, &Linear),
    residual: Tensor<2>,
    dropout: &Dropout,
    norm: &LayerNorm,
    epsilon: f64,
) -> Tensor<2> {
    let params = NormParams {
        epsilon,
        dropout: mask(dropout, &x),
        precision: precision(linear),
    };
    let beta = norm.beta.as_ref().map(Param::val);
    dropout_add_norm(x, residual, norm.gamma.val(), beta, params)
}
