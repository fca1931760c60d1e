// T rows, H columns

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::module::layer_norm as burn_layer_norm;
use burn::tensor::{DType, FloatDType, Tensor};

use crate::dispatch::{runs_gpu_kernel, runs_kernel};
use crate::dropout::{dropout_composed, seed_on_device};
use crate::gpu_ops::{GpuNorm, GpuOps};
use crate::host_ops::{HostKernels, HostOps};
use crate::params::{DropoutMask, NormParams, Precision};

/// `LayerNorm(residual + dropout(x)) · γ + β`; the kernel makes one pass over memory each way. Without `beta` nothing is
/// added.
///
/// # Shapes
///
/// `x`, `residual` `[T, H]`, `gamma`, `beta` `[H]` → `[T, H]`.
pub fn dropout_add_norm(
    x: Tensor<2>,
    residual: Tensor<2>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    params: NormParams,
) -> Tensor<2> {
    let NormParams {
        epsilon, dropout, ..
    } = params;
    if runs_gpu_kernel(&x) {
        return on_gpu(x, Some(residual), gamma, beta, params);
    }
    if !runs_kernel(&x) {
        let drop = |x| dropout_composed(x, dropout.probability);
        return dropout_add_norm_composed(x, residual, gamma, beta, epsilon, drop);
    }
    let beta = beta.unwrap_or_else(|| gamma.zeros_like());
    Tensor::from_dispatch(<Dispatch as HostOps>::dropout_add_norm(
        x.into_dispatch(),
        residual.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        params,
    ))
}

/// `LayerNorm(x) · γ + β`. Without `beta` nothing is added.
///
/// # Shapes
///
/// `x` `[T, H]`, `gamma`, `beta` `[H]` → `[T, H]`.
pub fn layer_norm(
    x: Tensor<2>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<2> {
    let params = NormParams {
        epsilon,
        dropout: DropoutMask::NONE,
        precision: Precision::F32,
    };
    if runs_gpu_kernel(&x) {
        return on_gpu(x, None, gamma, beta, params);
    }
    if !runs_kernel(&x) {
        return layer_norm_composed(x, gamma, beta, epsilon);
    }
    let nothing = x.zeros_like();
    dropout_add_norm(x, nothing, gamma, beta, params)
}

/// What is missing is replaced by a tensor without a gradient that the kernel does not read.
fn on_gpu(
    x: Tensor<2>,
    residual: Option<Tensor<2>>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    params: NormParams,
) -> Tensor<2> {
    let probability = params.dropout.probability;
    let params = GpuNorm {
        epsilon: params.epsilon,
        probability,
        adds: residual.is_some(),
        has_beta: beta.is_some(),
    };
    let seed = seed_on_device(probability, &x);
    let unread = gamma.clone().detach();
    let beta = beta.unwrap_or_else(|| unread.clone());
    let residual = residual.unwrap_or_else(|| unread.unsqueeze());
    Tensor::from_dispatch(<Dispatch as GpuOps>::gpu_add_norm(
        x.into_dispatch(),
        residual.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        seed.into_dispatch(),
        params,
    ))
}

/// The composed body of [`dropout_add_norm`]; `dropout` is applied to `x`.
///
/// # Shapes
///
/// `x`, `residual` `[T, H]`, `gamma`, `beta` `[H]` → `[T, H]`.
pub fn dropout_add_norm_composed(
    x: Tensor<2>,
    residual: Tensor<2>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
    dropout: impl FnOnce(Tensor<2>) -> Tensor<2>,
) -> Tensor<2> {
    layer_norm_composed(dropout(x) + residual, gamma, beta, epsilon)
}

/// LayerNorm as `burn::nn::LayerNorm` computes it: float16 is widened, because its squares overflow.
pub(crate) fn layer_norm_composed(
    x: Tensor<2>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<2> {
    if x.dtype() != DType::F16 {
        return burn_layer_norm(x, gamma, beta, epsilon);
    }
    let wide = FloatDType::F32;
    let beta = beta.map(|beta| beta.cast(wide));
    burn_layer_norm(x.cast(wide), gamma.cast(wide), beta, epsilon).cast(FloatDType::F16)
}

#[derive(Debug)]
struct DropoutAddNorm;

/// State for the backward pass.
#[derive(Debug, Clone)]
pub(crate) struct SavedNorm<F> {
    /// `[T, H]`.
    pub(crate) normalized: NormalizedRows<F>,
    /// 1 / deviation, `[T]`.
    pub(crate) inverse_deviation: F,
}

#[derive(Debug, Clone)]
pub(crate) enum NormalizedRows<F> {
    F32(F),
    Bf16(Arc<Vec<u16>>),
}

#[derive(Debug, Clone)]
struct Saved<F> {
    saved: SavedNorm<F>,
    gamma: F,
    params: NormParams,
}

impl<B: HostKernels> Backward<B, 4> for DropoutAddNorm {
    type State = Saved<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 4>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let Saved {
            saved,
            gamma,
            params,
        } = ops.state;
        let gradients = B::dropout_add_norm_backward(saved, gamma, grad, params);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy>(
    inputs: [FloatTensor<Autodiff<B, C>>; 4],
    params: NormParams,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let prepared = DropoutAddNorm.prepare::<C>(nodes).compute_bound();
    let inputs = inputs.map(|input| input.into_primitive());
    match prepared.stateful() {
        OpsKind::Tracked(prep) => {
            let gamma = inputs[2].clone();
            let (y, saved) = B::dropout_add_norm_saving(inputs, params);
            let state = Saved {
                saved,
                gamma,
                params,
            };
            prep.finish(state, y)
        }
        OpsKind::UnTracked(prep) => {
            let [x, residual, gamma, beta] = inputs;
            prep.finish(B::dropout_add_norm(x, residual, gamma, beta, params))
        }
    }
}
