// T rows, K columns in, N columns out

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::Tensor;

use crate::gelu;
use crate::host_ops::{Epilogue, HostKernels, HostOps, LinearNumbers};
use crate::packed::PackedWeight;

/// The parameters of one linear map.
#[derive(Debug, Clone)]
pub struct LinearMap {
    /// `[K, N]`.
    pub weight: Tensor<2>,
    /// `[N]`.
    pub bias: Tensor<1>,
    /// Keeps the weight in the order of the kernels, for inference; with gradients it is not used.
    pub packed: Option<Arc<PackedWeight>>,
}

impl LinearMap {
    /// A map whose weight is put in order each time.
    pub fn new(weight: Tensor<2>, bias: Tensor<1>) -> Self {
        Self {
            weight,
            bias,
            packed: None,
        }
    }
}

/// `x W + b`, through GELU if wanted, in one pass, on devices that [`is_fused`](crate::is_fused) says yes to.
///
/// # Shapes
///
/// `x` `[T, K]` → `[T, N]`.
pub fn linear(x: Tensor<2>, map: LinearMap, epilogue: Epilogue) -> Tensor<2> {
    let numbers = LinearNumbers {
        epilogue,
        packed: vec![map.packed],
    };
    Tensor::from_dispatch(<Dispatch as HostOps>::linear(
        x.into_dispatch(),
        map.weight.into_dispatch(),
        map.bias.into_dispatch(),
        numbers,
    ))
}

/// Three linear maps of one input side by side, as an attention's queries, keys and values are, on devices that
/// [`is_fused`](crate::is_fused) says yes to.
///
/// # Shapes
///
/// `x` `[T, K]`, weights `[K, N]` each → `[T, 3 · N]`.
pub fn linear_joined(x: Tensor<2>, maps: [LinearMap; 3]) -> Tensor<2> {
    let numbers = numbers_of(&maps);
    let [one, two, three] = maps.map(|map| (map.weight.into_dispatch(), map.bias.into_dispatch()));
    Tensor::from_dispatch(<Dispatch as HostOps>::linear_joined(
        x.into_dispatch(),
        one.0,
        one.1,
        two.0,
        two.1,
        three.0,
        three.1,
        numbers,
    ))
}

/// Two linear maps of one input side by side, as [`linear_joined`].
///
/// # Shapes
///
/// `x` `[T, K]`, weights `[K, N]` each → `[T, 2 · N]`.
pub fn linear_pair(x: Tensor<2>, maps: [LinearMap; 2]) -> Tensor<2> {
    let numbers = numbers_of(&maps);
    let [one, two] = maps.map(|map| (map.weight.into_dispatch(), map.bias.into_dispatch()));
    Tensor::from_dispatch(<Dispatch as HostOps>::linear_pair(
        x.into_dispatch(),
        one.0,
        one.1,
        two.0,
        two.1,
        numbers,
    ))
}

fn numbers_of(maps: &[LinearMap]) -> LinearNumbers {
    LinearNumbers {
        epilogue: Epilogue::Bias,
        packed: maps.iter().map(|map| map.packed.clone()).collect(),
    }
}

/// What [`linear`] means, written in ordinary tensor operations; [`linear_joined`] is three of it side by side.
///
/// # Shapes
///
/// `x` `[T, K]`, `weight` `[K, N]`, `bias` `[N]` → `[T, N]`.
pub fn linear_composed(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    epilogue: Epilogue,
) -> Tensor<2> {
    let y = x.matmul(weight) + bias.unsqueeze::<2>();
    match epilogue {
        Epilogue::Bias => y,
        Epilogue::BiasGelu => gelu(y),
    }
}

/// What the backward pass of linear maps needs.
#[derive(Debug, Clone)]
pub struct SavedLinear<F> {
    /// The input `[T, K]`.
    pub x: F,
    /// The weights `[K, N]`.
    pub weights: Vec<F>,
    /// The slope of the activation where it was evaluated, `[T, N]`, where there is one.
    pub slope: Option<F>,
}

#[derive(Debug)]
struct Linear;

/// The parents are x and then the weight and the bias of each map.
impl<B: HostKernels, const PARENTS: usize> Backward<B, PARENTS> for Linear {
    type State = SavedLinear<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, PARENTS>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let wanted: Vec<bool> = ops.parents.iter().map(Option::is_some).collect();
        let gradients = B::linear_backward(ops.state, grad, &wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy, const PARENTS: usize>(
    inputs: [FloatTensor<Autodiff<B, C>>; PARENTS],
    numbers: LinearNumbers,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let prepared = Backward::<B, PARENTS>::prepare::<C>(Linear, nodes).compute_bound();
    let inputs = inputs.map(|input| input.into_primitive()).to_vec();
    match prepared.stateful() {
        OpsKind::Tracked(prep) => {
            let (y, saved) = B::linear_saving(inputs, numbers.epilogue);
            prep.finish(saved, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(B::linear_of(inputs, &numbers)),
    }
}
