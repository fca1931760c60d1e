// T rows, K columns in, I inner columns, N columns out

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::Tensor;

use crate::dispatch::runs_kernel;
use crate::host_ops::{HostKernels, HostOps};
use crate::linear::{LinearWeights, SavedLinear, linear, register};
use crate::packed::PackedWeight;
use crate::params::{Epilogue, Precision};

/// `gelu(x W₁ + b₁) W₂ + b₂`, the feed-forward network of a transformer's layer. The kernel computes both maps of some rows
/// while they are in the cache, and keeps the input of the activation alone for the backward pass. Maps with an adapter, or of
/// two precisions, are two calls of [`linear`].
///
/// # Shapes
///
/// `x` `[T, K]`, weights `[K, I]` and `[I, N]` → `[T, N]`.
pub fn feed_forward(x: Tensor<2>, first: LinearWeights, second: LinearWeights) -> Tensor<2> {
    let has_adapter = first.low_rank.is_some() || second.low_rank.is_some();
    if !runs_kernel(&x) || has_adapter || first.precision != second.precision {
        return linear(linear(x, first, Epilogue::BiasGelu), second, Epilogue::Bias);
    }
    let params = FeedForwardParams {
        packed: [first.packed.clone(), second.packed.clone()],
        precision: first.precision,
    };
    let [first, second] = [first, second].map(LinearWeights::into_kernel);
    Tensor::from_dispatch(<Dispatch as HostOps>::feed_forward(
        x.into_dispatch(),
        first.0.into_dispatch(),
        first.1.into_dispatch(),
        second.0.into_dispatch(),
        second.1.into_dispatch(),
        params,
    ))
}

/// The parameters of the kernel.
#[derive(Debug, Clone)]
pub(crate) struct FeedForwardParams {
    /// Where each packed weight is kept, if it is.
    pub(crate) packed: [Option<Arc<PackedWeight>>; 2],
    /// Of the products where the weights are not packed.
    pub(crate) precision: Precision,
}

#[derive(Debug)]
struct FeedForward;

/// The parents are x, then the weight and the bias of each map.
impl<B: HostKernels> Backward<B, 5> for FeedForward {
    type State = SavedLinear<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 5>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let wanted: Vec<bool> = ops.parents.iter().map(Option::is_some).collect();
        let gradients = B::feed_forward_backward(ops.state, grad, &wanted);
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<B>(grads, parents, gradients);
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy>(
    inputs: [FloatTensor<Autodiff<B, C>>; 5],
    params: FeedForwardParams,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let keeps_input = inputs[1].is_tracked();
    let prepared = FeedForward.prepare::<C>(nodes).compute_bound();
    let inputs = inputs.map(|input| input.into_primitive());
    match prepared.stateful() {
        OpsKind::Tracked(prep) => {
            let (y, saved) = B::feed_forward_saving(inputs, &params, keeps_input);
            prep.finish(saved, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(B::feed_forward_of(inputs, &params)),
    }
}
