// T rows, I columns of a half

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::Tensor;

use crate::dispatch::runs_kernel;
use crate::gelu;
use crate::host_ops::{HostKernels, HostOps};

/// [`gelu`] of the first half of each row, times the second half: the gated activation of a feed-forward network (Shazeer,
/// <https://arxiv.org/abs/2002.05202>).
///
/// # Shapes
///
/// `[T, 2 · I]` → `[T, I]`.
pub fn gated_gelu(x: Tensor<2>) -> Tensor<2> {
    if !runs_kernel(&x) {
        let [_, width] = x.dims();
        let half = width / 2;
        return gelu(x.clone().narrow(1, 0, half)) * x.narrow(1, half, half);
    }
    Tensor::from_dispatch(<Dispatch as HostOps>::gated_gelu(x.into_dispatch()))
}

#[derive(Debug)]
struct GatedGelu;

impl<B: HostKernels> Backward<B, 1> for GatedGelu {
    /// The input.
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let x = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::gated_gelu_backward(x, grad)
        });
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let prepared = GatedGelu.prepare::<C>([x.node()]).compute_bound();
    let x = x.into_primitive();
    let y = B::gated_gelu(x.clone());
    match prepared.stateful() {
        OpsKind::Tracked(prep) => prep.finish(x, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}
