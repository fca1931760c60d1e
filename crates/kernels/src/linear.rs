// T rows, K columns in, N columns out

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::Tensor;

use crate::gelu;
use crate::host_ops::{Epilogue, HostKernels, HostOps};

/// `x W + b`, through GELU if wanted, in one pass, on devices that [`is_fused`](crate::is_fused) says yes to.
///
/// # Shapes
///
/// `x` `[T, K]`, `weight` `[K, N]`, `bias` `[N]` → `[T, N]`.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>, epilogue: Epilogue) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as HostOps>::linear(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        epilogue,
    ))
}

/// Three linear maps of one input side by side, as an attention's queries, keys and values are, on devices that
/// [`is_fused`](crate::is_fused) says yes to.
///
/// # Shapes
///
/// `x` `[T, K]`, weights `[K, N]`, biases `[N]` → `[T, 3 · N]`.
pub fn linear_joined(x: Tensor<2>, maps: [(Tensor<2>, Tensor<1>); 3]) -> Tensor<2> {
    let [one, two, three] =
        maps.map(|(weight, bias)| (weight.into_dispatch(), bias.into_dispatch()));
    Tensor::from_dispatch(<Dispatch as HostOps>::linear_joined(
        x.into_dispatch(),
        one.0,
        one.1,
        two.0,
        two.1,
        three.0,
        three.1,
    ))
}

/// Two linear maps of one input side by side, as [`linear_joined`].
///
/// # Shapes
///
/// `x` `[T, K]`, weights `[K, N]`, biases `[N]` → `[T, 2 · N]`.
pub fn linear_pair(x: Tensor<2>, maps: [(Tensor<2>, Tensor<1>); 2]) -> Tensor<2> {
    let [one, two] = maps.map(|(weight, bias)| (weight.into_dispatch(), bias.into_dispatch()));
    Tensor::from_dispatch(<Dispatch as HostOps>::linear_pair(
        x.into_dispatch(),
        one.0,
        one.1,
        two.0,
        two.1,
    ))
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
    epilogue: Epilogue,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let prepared = Backward::<B, PARENTS>::prepare::<C>(Linear, nodes).compute_bound();
    let inputs = inputs.map(|input| input.into_primitive()).to_vec();
    match prepared.stateful() {
        OpsKind::Tracked(prep) => {
            let (y, saved) = B::linear_saving(inputs, epilogue);
            prep.finish(saved, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(B::linear_of(inputs, epilogue)),
    }
}
