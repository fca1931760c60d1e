// T rows, H columns

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::Tensor;

use crate::host_ops::{HostKernels, HostOps, NormNumbers};

/// `LayerNorm(residual + dropout(x)) · γ + β`, one pass over memory each way, on devices that
/// [`is_fused`](crate::is_fused) says yes to.
///
/// # Shapes
///
/// `x`, `residual` `[T, H]`, `gamma`, `beta` `[H]` → `[T, H]`.
pub fn dropout_add_norm(
    x: Tensor<2>,
    residual: Tensor<2>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    numbers: NormNumbers,
) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as HostOps>::dropout_add_norm(
        x.into_dispatch(),
        residual.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        numbers,
    ))
}

/// What [`dropout_add_norm`] means, written in ordinary tensor operations; `kept` is what the mask multiplies by.
///
/// # Shapes
///
/// `x`, `residual`, `kept` `[T, H]`, `gamma`, `beta` `[H]` → `[T, H]`.
pub fn dropout_add_norm_composed(
    x: Tensor<2>,
    residual: Tensor<2>,
    kept: Tensor<2>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Tensor<2> {
    let sum = x * kept + residual;
    let centred = sum.clone() - sum.mean_dim(1);
    let variance = centred.clone().square().mean_dim(1);
    let normalized = centred / (variance + epsilon).sqrt();
    normalized * gamma.unsqueeze::<2>() + beta.unsqueeze::<2>()
}

#[derive(Debug)]
struct DropoutAddNorm;

#[derive(Debug, Clone)]
struct Saved<F> {
    saved: [F; 2],
    gamma: F,
    numbers: NormNumbers,
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
            numbers,
        } = ops.state;
        let gradients = B::dropout_add_norm_backward(saved, gamma, grad, numbers);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy>(
    inputs: [FloatTensor<Autodiff<B, C>>; 4],
    numbers: NormNumbers,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let prepared = DropoutAddNorm.prepare::<C>(nodes).compute_bound();
    let inputs = inputs.map(|input| input.into_primitive());
    match prepared.stateful() {
        OpsKind::Tracked(prep) => {
            let gamma = inputs[2].clone();
            let [y, normalized, inverse_deviation] = B::dropout_add_norm_saving(inputs, numbers);
            let state = Saved {
                saved: [normalized, inverse_deviation],
                gamma,
                numbers,
            };
            prep.finish(state, y)
        }
        OpsKind::UnTracked(prep) => {
            let [x, residual, gamma, beta] = inputs;
            prep.finish(B::dropout_add_norm(x, residual, gamma, beta, numbers))
        }
    }
}
