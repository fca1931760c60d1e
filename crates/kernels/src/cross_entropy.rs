// T rows, C classes

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

use crate::dispatch::runs_kernel;
use crate::host_ops::{HostKernels, HostOps};

/// The label of a row that takes no part in a loss, in PyTorch and transformers (`torch.nn.CrossEntropyLoss`).
pub const IGNORE_INDEX: i64 = -100;

/// Mean cross-entropy over the rows whose label is not [`IGNORE_INDEX`]. When every row is ignored the loss is 0, with
/// zero gradients, where PyTorch's is NaN. The kernel makes one pass each way.
///
/// # Shapes
///
/// `logits` `[T, C]`, `labels` `[T]`, each in 0..C or `IGNORE_INDEX` → `[1]`.
pub fn masked_cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    if !runs_kernel(&logits) {
        return masked_cross_entropy_composed(logits, labels);
    }
    Tensor::from_dispatch(<Dispatch as HostOps>::cross_entropy(
        logits.into_dispatch(),
        labels.into_dispatch(),
    ))
}

/// The composed body of [`masked_cross_entropy`].
///
/// # Shapes
///
/// `logits` `[T, C]`, `labels` `[T]` → `[1]`.
pub fn masked_cross_entropy_composed(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let ignored = labels.clone().equal_scalar(IGNORE_INDEX);
    let classes = labels.mask_fill(ignored.clone(), 0);
    let kept = ignored.bool_not().float().cast(logits.dtype());
    let log_likelihood = log_softmax(logits, 1)
        .gather(1, classes.unsqueeze_dim::<2>(1))
        .squeeze_dim::<1>(1);
    let count = kept.clone().sum().clamp_min(1.0);
    -(log_likelihood * kept).sum() / count
}

/// State for the backward pass of the cross-entropy.
#[derive(Debug, Clone)]
pub(crate) struct SavedCrossEntropy<F> {
    /// `[T, C]`.
    pub(crate) logits: F,
    /// The class of each row, none for a row that is ignored, `[T]`.
    pub(crate) classes: Vec<Option<usize>>,
    /// The highest logit of each row and 1 / Σ e^(logit − highest), `[T · 2]`.
    pub(crate) statistics: Vec<f32>,
}

#[derive(Debug)]
struct CrossEntropy;

impl<B: HostKernels> Backward<B, 1> for CrossEntropy {
    type State = SavedCrossEntropy<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let saved = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::cross_entropy_backward(saved, grad)
        });
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy>(
    logits: FloatTensor<Autodiff<B, C>>,
    labels: IntTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let prepared = CrossEntropy.prepare::<C>([logits.node()]).compute_bound();
    let (loss, saved) = B::cross_entropy_saving(logits.into_primitive(), labels);
    match prepared.stateful() {
        OpsKind::Tracked(prep) => prep.finish(saved, loss),
        OpsKind::UnTracked(prep) => prep.finish(loss),
    }
}
