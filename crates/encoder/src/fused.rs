//! One pass where `bert-kernels` has a kernel for the device and type, ordinary tensor operations elsewhere.

use bert_kernels::{DropoutMask, Epilogue, NormNumbers, is_fused};
use burn::nn::{Dropout, LayerNorm, Linear};
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

/// `x W + b`, and what follows.
///
/// # Shapes
///
/// `x` `[T, K]` → `[T, N]`.
pub(crate) fn linear(map: &Linear, x: Tensor<2>, epilogue: Epilogue) -> Tensor<2> {
    match &map.bias {
        Some(bias) if has_kernels(&x) => {
            bert_kernels::linear(x, map.weight.val(), bias.val(), epilogue)
        }
        _ => match epilogue {
            Epilogue::Bias => map.forward(x),
            Epilogue::BiasGelu => bert_kernels::gelu(map.forward(x)),
        },
    }
}

/// Three maps of one input side by side, where there are kernels for it.
///
/// # Shapes
///
/// `x` `[T, K]` → `[T, 3 · N]`.
pub(crate) fn linear_joined(maps: [&Linear; 3], x: &Tensor<2>) -> Option<Tensor<2>> {
    let [one, two, three] = maps.map(parameters);
    let maps = [one?, two?, three?];
    has_kernels(x).then(|| bert_kernels::linear_joined(x.clone(), maps))
}

/// Two maps of one input side by side, where there are kernels for it.
///
/// # Shapes
///
/// `x` `[T, K]` → `[T, 2 · N]`.
pub(crate) fn linear_pair(maps: [&Linear; 2], x: Tensor<2>) -> Option<Tensor<2>> {
    let [one, two] = maps.map(parameters);
    let maps = [one?, two?];
    has_kernels(&x).then(|| bert_kernels::linear_pair(x, maps))
}

fn parameters(map: &Linear) -> Option<(Tensor<2>, Tensor<1>)> {
    let bias = map.bias.as_ref()?;
    Some((map.weight.val(), bias.val()))
}

/// `LayerNorm(residual + dropout(x))`. `epsilon` is the one that `norm` was made with.
///
/// # Shapes
///
/// `x`, `residual` `[T, H]` → `[T, H]`.
pub(crate) fn add_norm(
    x: Tensor<2>,
    residual: Tensor<2>,
    dropout: &Dropout,
    norm: &LayerNorm,
    epsilon: f64,
) -> Tensor<2> {
    match &norm.beta {
        Some(beta) if has_kernels(&x) => {
            let dropout = mask(dropout, &x);
            let numbers = NormNumbers { epsilon, dropout };
            bert_kernels::dropout_add_norm(x, residual, norm.gamma.val(), beta.val(), numbers)
        }
        _ => norm.forward(dropout.forward(x) + residual),
    }
}
