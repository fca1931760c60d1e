//! One pass where `bert-kernels` has a kernel for the device and type, ordinary tensor operations elsewhere.

use bert_kernels::{DropoutMask, NormNumbers, is_fused};
use burn::nn::{Dropout, LayerNorm};
use burn::tensor::{DType, Tensor};

/// Whether the kernels take this tensor.
pub(crate) fn has_kernels<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && is_fused(&x.device())
}

/// The mask of a dropout on this tensor, where [`has_kernels`] says yes.
pub(crate) fn mask<const D: usize>(dropout: &Dropout, x: &Tensor<D>) -> DropoutMask {
    let device = x.device();
    if dropout.training.is_enabled() && device.is_autodiff() {
        DropoutMask::draw(dropout.prob, &device)
    } else {
        DropoutMask::NONE
    }
}

/// Dropout.
pub(crate) fn drop<const D: usize>(dropout: &Dropout, x: Tensor<D>) -> Tensor<D> {
    if !has_kernels(&x) {
        return dropout.forward(x);
    }
    match mask(dropout, &x) {
        DropoutMask::NONE => x,
        mask => bert_kernels::dropout(x, mask),
    }
}

/// `LayerNorm(residual + dropout(x))`; no dropout without `dropout`. `epsilon` is the one that `norm` was made with.
///
/// # Shapes
///
/// `x`, `residual` `[T, H]` → `[T, H]`.
pub(crate) fn add_norm(
    x: Tensor<2>,
    residual: Tensor<2>,
    dropout: Option<&Dropout>,
    norm: &LayerNorm,
    epsilon: f64,
) -> Tensor<2> {
    match &norm.beta {
        Some(beta) if has_kernels(&x) => {
            let dropout = dropout.map_or(DropoutMask::NONE, |dropout| mask(dropout, &x));
            let numbers = NormNumbers { epsilon, dropout };
            bert_kernels::dropout_add_norm(x, residual, norm.gamma.val(), beta.val(), numbers)
        }
        _ => {
            let x = match dropout {
                Some(dropout) => dropout.forward(x),
                None => x,
            };
            norm.forward(x + residual)
        }
    }
}
