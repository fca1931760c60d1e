//! One pass where `bert-kernels` has a kernel for the device and type, ordinary tensor operations elsewhere.

use std::sync::Arc;

use bert_kernels::{
    DropoutMask, Epilogue, LinearMap, NormNumbers, PackedWeight, WeightFormat, is_fused,
    on_kernel_threads,
};
use burn::nn::{Dropout, LayerNorm, Linear};
use burn::tensor::{DType, Device, Tensor};

/// Whether the kernels take this tensor.
pub(crate) fn has_kernels<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && is_fused(&x.device())
}

/// Does work that is kernels, or most of it, near them. With gradients it stays where it is, and where Burn expects it.
pub(crate) fn nearby<R: Send>(device: &Device, work: impl FnOnce() -> R + Send) -> R {
    if is_fused(device) && !device.is_autodiff() {
        on_kernel_threads(work)
    } else {
        work()
    }
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

/// A layer's map, and where its weight is kept in the order of the kernels.
#[derive(Clone, Copy)]
pub(crate) struct Map<'a> {
    pub(crate) linear: &'a Linear,
    pub(crate) packed: Option<&'a Arc<PackedWeight>>,
}

/// Places for so many weights.
pub(crate) fn packed_weights<const COUNT: usize>(
    format: WeightFormat,
) -> [Arc<PackedWeight>; COUNT] {
    std::array::from_fn(|_| Arc::new(PackedWeight::new(format)))
}

impl Map<'_> {
    fn parameters(self) -> Option<LinearMap> {
        let bias = self.linear.bias.as_ref()?;
        Some(LinearMap {
            weight: self.linear.weight.val(),
            bias: bias.val(),
            packed: self.packed.cloned(),
        })
    }
}

/// `x W + b`, and what follows.
///
/// # Shapes
///
/// `x` `[T, K]` → `[T, N]`.
pub(crate) fn linear(map: Map<'_>, x: Tensor<2>, epilogue: Epilogue) -> Tensor<2> {
    match map.parameters() {
        Some(parameters) if has_kernels(&x) => bert_kernels::linear(x, parameters, epilogue),
        _ => match epilogue {
            Epilogue::Bias => map.linear.forward(x),
            Epilogue::BiasGelu => bert_kernels::gelu(map.linear.forward(x)),
        },
    }
}

/// Three maps of one input side by side, where there are kernels for it.
///
/// # Shapes
///
/// `x` `[T, K]` → `[T, 3 · N]`.
pub(crate) fn linear_joined(maps: [Map<'_>; 3], x: &Tensor<2>) -> Option<Tensor<2>> {
    let [one, two, three] = maps.map(Map::parameters);
    let maps = [one?, two?, three?];
    has_kernels(x).then(|| bert_kernels::linear_joined(x.clone(), maps))
}

/// Two maps of one input side by side, where there are kernels for it.
///
/// # Shapes
///
/// `x` `[T, K]` → `[T, 2 · N]`.
pub(crate) fn linear_pair(maps: [Map<'_>; 2], x: Tensor<2>) -> Option<Tensor<2>> {
    let [one, two] = maps.map(Map::parameters);
    let maps = [one?, two?];
    has_kernels(&x).then(|| bert_kernels::linear_pair(x, maps))
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
