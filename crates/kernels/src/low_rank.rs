// T rows, K columns in, N columns out, R the rank, W the width of outputs side by side

//! A low-rank adapter beside a linear layer: LoRA (Hu et al., <https://arxiv.org/abs/2106.09685>) and DoRA (Liu et al.,
//! <https://arxiv.org/abs/2402.09353>), as PEFT computes them.
//!
//! The kernels multiply once, by the weight that the adapter makes of the frozen one. That costs a product of `[K, R]` and
//! `[R, N]`, and spares the passes over the outputs that a sum of two branches would need. An operation that changes nothing
//! stands behind the product: in the backward pass it hands the gradient on and computes those of the adapter, none of which
//! is as large as the weight.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::Tensor;

use crate::dispatch::runs_kernel;
use crate::dropout::dropout;
use crate::gelu;
use crate::host_ops::{HostKernels, HostOps};
use crate::linear::{LinearWeights, linear};
use crate::params::{DropoutMask, Epilogue};

/// What a low-rank adapter adds to a linear layer `x W + b`: `scale · dropout(x) A B`. With a magnitude the map is
/// `m / ‖W + scale · A B‖ ⊙ x (W + scale · A B) + b`, where the norm is that of each column and counts as a constant in the
/// backward pass.
#[derive(Debug, Clone)]
pub struct LowRankWeights {
    /// A, `[K, R]`.
    pub down: Tensor<2>,
    /// B, `[R, N]`.
    pub up: Tensor<2>,
    /// Of the product of both.
    pub scale: f64,
    /// DoRA's m, `[N]`.
    pub magnitude: Option<Tensor<1>>,
    /// The probability of dropout on the adapter's input; 0 where nothing is trained.
    pub dropout: f64,
}

impl LowRankWeights {
    /// `scale · A B`, `[K, N]`, off the graph.
    fn delta(&self) -> Tensor<2> {
        constant(self.down.clone()).matmul(constant(self.up.clone())) * self.scale
    }

    /// `m / ‖W + scale · A B‖` with the norm off the graph, `[1, N]`.
    fn factor(&self, weight: &Tensor<2>, magnitude: &Tensor<1>) -> Tensor<2> {
        let adapted = constant(weight.clone()) + self.delta();
        magnitude.clone().unsqueeze_dim::<2>(0) / column_norms(adapted)
    }
}

/// The same values off the graph. `detach` alone leaves a parameter one that wants a gradient.
fn constant<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.detach().set_require_grad(false)
}

/// The Euclidean norm of each column, off the graph: what DoRA's magnitude starts from.
///
/// # Shapes
///
/// `[K, N]` → `[1, N]`.
pub fn column_norms(weight: Tensor<2>) -> Tensor<2> {
    let weight = constant(weight);
    (weight.clone() * weight).sum_dim(0).sqrt()
}

/// The weight that an adapter makes of a linear layer's: `W + scale · A B`, with a magnitude scaled column by column. Gradients
/// reach `weight` alone.
///
/// # Shapes
///
/// `[K, N]` → `[K, N]`.
pub fn merged_weight(weight: Tensor<2>, adapter: &LowRankWeights) -> Tensor<2> {
    match &adapter.magnitude {
        None => weight + adapter.delta(),
        Some(magnitude) => {
            let factor = constant(adapter.factor(&weight, magnitude));
            (weight + adapter.delta()) * factor
        }
    }
}

/// `x W + b` with its adapter, through GELU if the epilogue says so.
///
/// # Shapes
///
/// `x` `[T, K]` → `[T, N]`.
pub(crate) fn adapted(
    x: Tensor<2>,
    weights: LinearWeights,
    adapter: LowRankWeights,
    epilogue: Epilogue,
) -> Tensor<2> {
    if !can_merge(&x, &adapter) {
        let y = adapted_composed(x, weights, adapter);
        return through(epilogue, y);
    }
    let (weights, learner) = merged(weights, adapter);
    if !x.device().is_autodiff() {
        return linear(x, weights, epilogue);
    }
    let y = linear(x.clone(), weights, Epilogue::Bias);
    through(epilogue, learner.learning(y, x, 0))
}

fn through(epilogue: Epilogue, y: Tensor<2>) -> Tensor<2> {
    match epilogue {
        Epilogue::Bias => y,
        Epilogue::BiasGelu => gelu(y),
    }
}

/// Whether the kernels can multiply by the merged weight: with dropout the adapter has another input than the weight.
pub(crate) fn can_merge(x: &Tensor<2>, adapter: &LowRankWeights) -> bool {
    runs_kernel(x) && adapter.dropout == 0.0
}

/// An adapter whose weight is in the product already.
#[derive(Debug, Clone)]
pub(crate) struct Learner {
    adapter: LowRankWeights,
    /// DoRA's factor of each column and the bias.
    scaling: Option<[Tensor<1>; 2]>,
}

/// The weights of a linear layer with its adapter merged, and what learns behind the product.
pub(crate) fn merged(weights: LinearWeights, adapter: LowRankWeights) -> (LinearWeights, Learner) {
    let scaling = adapter.magnitude.as_ref().map(|magnitude| {
        let factor = constant(adapter.factor(&weights.weight, magnitude));
        let [_, columns] = weights.weight.dims();
        let zeros = || Tensor::zeros([columns], &weights.weight.device());
        let bias = weights.bias.clone().map_or_else(zeros, constant);
        [factor.reshape([columns]), bias]
    });
    let weight = merged_weight(weights.weight, &adapter);
    let weights = LinearWeights {
        weight,
        bias: weights.bias,
        packed: None,
        low_rank: None,
        precision: weights.precision,
    };
    (weights, Learner { adapter, scaling })
}

impl Learner {
    /// The outputs `y` `[T, W]` of maps side by side, unchanged; the adapted map's begin at `first_column`. In the backward
    /// pass A, B and the magnitude get their gradients here.
    pub(crate) fn learning(self, y: Tensor<2>, x: Tensor<2>, first_column: usize) -> Tensor<2> {
        let params = LowRankParams {
            scale: self.adapter.scale as f32,
            first_column,
        };
        let (down, up) = (
            self.adapter.down.into_dispatch(),
            self.adapter.up.into_dispatch(),
        );
        let (y, x) = (y.into_dispatch(), x.into_dispatch());
        let y = match (self.adapter.magnitude, self.scaling) {
            (Some(magnitude), Some([factor, bias])) => {
                <Dispatch as HostOps>::learning_magnitude_and_low_rank(
                    y,
                    x,
                    down,
                    up,
                    magnitude.into_dispatch(),
                    factor.into_dispatch(),
                    bias.into_dispatch(),
                    params,
                )
            }
            _ => <Dispatch as HostOps>::learning_low_rank(y, x, down, up, params),
        };
        Tensor::from_dispatch(y)
    }
}

/// The composed body: two branches, as PEFT has them.
///
/// # Shapes
///
/// `x` `[T, K]` → `[T, N]`.
pub fn adapted_composed(
    x: Tensor<2>,
    weights: LinearWeights,
    adapter: LowRankWeights,
) -> Tensor<2> {
    let mask = match x.device().is_autodiff() {
        true => DropoutMask::draw(adapter.dropout, &x),
        false => DropoutMask::NONE,
    };
    let dropped = match mask == DropoutMask::NONE {
        true => x.clone(),
        false => dropout(x.clone(), mask),
    };
    let product = |x, weight| linear(x, LinearWeights::new(weight, None), Epilogue::Bias);
    let down = product(dropped.clone(), adapter.down.clone());
    let low = product(down, adapter.up.clone()) * adapter.scale;
    let Some(magnitude) = &adapter.magnitude else {
        let plain = LinearWeights {
            low_rank: None,
            ..weights
        };
        return linear(x, plain, Epilogue::Bias) + low;
    };
    let factor = adapter.factor(&weights.weight, magnitude);
    let frozen = product(dropped, weights.weight.clone());
    let mut y = (frozen.clone() + low) * factor;
    if mask != DropoutMask::NONE {
        // PEFT has no dropout on the part of the product that the magnitude does not change.
        y = y + product(x, weights.weight) - frozen;
    }
    match weights.bias {
        Some(bias) => y + bias.unsqueeze_dim::<2>(0),
        None => y,
    }
}

/// What the backward pass of an adapter needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LowRankParams {
    /// Of the product of A and B.
    pub(crate) scale: f32,
    /// Where the adapted map's outputs begin among the outputs side by side.
    pub(crate) first_column: usize,
}

/// State for the backward pass of an adapter.
#[derive(Debug, Clone)]
pub(crate) struct SavedLowRank<F> {
    /// The input `[T, K]`.
    pub(crate) x: F,
    /// A, `[K, R]`.
    pub(crate) down: F,
    /// B, `[R, N]`.
    pub(crate) up: F,
    /// Of an adapter with a magnitude.
    pub(crate) magnitude: Option<SavedMagnitude<F>>,
    pub(crate) params: LowRankParams,
}

#[derive(Debug, Clone)]
pub(crate) struct SavedMagnitude<F> {
    /// The outputs side by side, `[T, W]`.
    pub(crate) y: F,
    /// m, `[N]`.
    pub(crate) magnitude: F,
    /// m over the norm of each column, `[N]`.
    pub(crate) factor: F,
    /// `[N]`.
    pub(crate) bias: F,
}

#[derive(Debug)]
struct Learning;

/// The parents are the outputs, A, B, and the magnitude if there is one.
impl<B: HostKernels, const PARENTS: usize> Backward<B, PARENTS> for Learning {
    type State = SavedLowRank<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, PARENTS>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let of_adapter = B::low_rank_gradients(ops.state, grad.clone());
        let all = std::iter::once(grad).chain(of_adapter);
        for (parent, gradient) in ops.parents.into_iter().zip(all) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy>(
    [y, x, down, up]: [FloatTensor<Autodiff<B, C>>; 4],
    params: LowRankParams,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = [y.node(), down.node(), up.node()];
    let prepared = Backward::<B, 3>::prepare::<C>(Learning, nodes).compute_bound();
    let y = y.into_primitive();
    match prepared.stateful() {
        OpsKind::Tracked(prep) => {
            let saved = SavedLowRank {
                x: x.into_primitive(),
                down: down.into_primitive(),
                up: up.into_primitive(),
                magnitude: None,
                params,
            };
            prep.finish(saved, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

pub(crate) fn tracked_with_magnitude<B: HostKernels, C: CheckpointStrategy>(
    [y, x, down, up, magnitude, factor, bias]: [FloatTensor<Autodiff<B, C>>; 7],
    params: LowRankParams,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = [y.node(), down.node(), up.node(), magnitude.node()];
    let prepared = Backward::<B, 4>::prepare::<C>(Learning, nodes).compute_bound();
    let y = y.into_primitive();
    match prepared.stateful() {
        OpsKind::Tracked(prep) => {
            let saved = SavedLowRank {
                x: x.into_primitive(),
                down: down.into_primitive(),
                up: up.into_primitive(),
                magnitude: Some(SavedMagnitude {
                    y: y.clone(),
                    magnitude: magnitude.into_primitive(),
                    factor: factor.into_primitive(),
                    bias: bias.into_primitive(),
                }),
                params,
            };
            prep.finish(saved, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}
