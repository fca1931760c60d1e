// T rows, K columns in, N columns out

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::Tensor;

use crate::dispatch::{runs_gpu_kernel, runs_kernel};
use crate::gelu;
use crate::gpu_ops::GpuOps;
use crate::host_ops::{HostKernels, HostOps};
use crate::low_rank::{self, LowRankWeights};
use crate::packed::PackedWeight;
use crate::params::{Epilogue, Precision};

/// The weights of one linear layer.
#[derive(Debug, Clone)]
pub struct LinearWeights {
    /// `[K, N]`.
    pub weight: Tensor<2>,
    /// `[N]`.
    pub bias: Option<Tensor<1>>,
    /// Keeps the packed weight between calls, for inference. A pass with gradients does not use it.
    pub packed: Option<Arc<PackedWeight>>,
    /// An adapter beside the map.
    pub low_rank: Option<LowRankWeights>,
    /// In which numbers the kernels multiply where the weight is not kept packed. The narrow products of an adapter's own
    /// gradients have single precision.
    pub precision: Precision,
}

impl LinearWeights {
    /// A map of single precision whose weight is packed in each call.
    pub fn new(weight: Tensor<2>, bias: Option<Tensor<1>>) -> Self {
        Self {
            weight,
            bias,
            packed: None,
            low_rank: None,
            precision: Precision::F32,
        }
    }

    /// Weight and bias for the kernel, the bias zero where there is none.
    pub(crate) fn into_kernel(self) -> (Tensor<2>, Tensor<1>) {
        let [_, columns] = self.weight.dims();
        let zeros = || Tensor::zeros([columns], &self.weight.device());
        let bias = self.bias.unwrap_or_else(zeros);
        (self.weight, bias)
    }
}

/// The outputs of M linear layers of one input. The kernels write them into one tensor, side by side; composed bodies give one
/// tensor each. [`attention`](crate::attention) and [`cross_attention`](crate::cross_attention) take either.
#[derive(Debug, Clone)]
pub struct Projections<const M: usize>(Outputs<M>);

#[expect(
    clippy::large_enum_variant,
    reason = "M tensors beside one; there are few of these values and they do not live long"
)]
#[derive(Debug, Clone)]
enum Outputs<const M: usize> {
    Joined(Tensor<2>),
    Separate([Tensor<2>; M]),
}

impl<const M: usize> Projections<M> {
    /// Outputs side by side, `[T, M · N]`.
    pub fn from_joined(joined: Tensor<2>) -> Self {
        Self(Outputs::Joined(joined))
    }

    /// One output of each map, `[T, N]`.
    pub fn from_separate(outputs: [Tensor<2>; M]) -> Self {
        Self(Outputs::Separate(outputs))
    }

    /// The outputs side by side, `[T, M · N]`.
    pub fn into_joined(self) -> Tensor<2> {
        match self.0 {
            Outputs::Joined(joined) => joined,
            Outputs::Separate(outputs) => Tensor::cat(outputs.to_vec(), 1),
        }
    }

    /// The output of each map, `[T, N]`.
    pub fn into_separate(self) -> [Tensor<2>; M] {
        let width = self.width();
        match self.0 {
            Outputs::Separate(outputs) => outputs,
            Outputs::Joined(joined) => {
                std::array::from_fn(|map| joined.clone().narrow(1, map * width, width))
            }
        }
    }

    /// The columns of one output, N.
    pub(crate) fn width(&self) -> usize {
        match &self.0 {
            Outputs::Joined(joined) => joined.dims()[1] / M,
            Outputs::Separate(outputs) => outputs[0].dims()[1],
        }
    }

    /// A tensor of these outputs, for its device and type.
    pub(crate) fn tensor(&self) -> &Tensor<2> {
        match &self.0 {
            Outputs::Joined(joined) => joined,
            Outputs::Separate(outputs) => &outputs[0],
        }
    }
}

/// `x W + b` with the map's adapter, through GELU if the epilogue says so, in one pass.
///
/// # Shapes
///
/// `x` `[T, K]` → `[T, N]`.
pub fn linear(x: Tensor<2>, mut weights: LinearWeights, epilogue: Epilogue) -> Tensor<2> {
    if let Some(adapter) = weights.low_rank.take() {
        return low_rank::adapted(x, weights, adapter, epilogue);
    }
    if runs_gpu_kernel(&x)
        && let Some(bias) = weights.bias
    {
        return Tensor::from_dispatch(<Dispatch as GpuOps>::gpu_biased(
            x.matmul(weights.weight).into_dispatch(),
            bias.into_dispatch(),
            epilogue,
        ));
    }
    if !runs_kernel(&x) {
        return linear_composed(x, weights.weight, weights.bias, epilogue);
    }
    let params = LinearParams {
        epilogue,
        packed: vec![weights.packed.clone()],
        precision: weights.precision,
    };
    let (weight, bias) = weights.into_kernel();
    Tensor::from_dispatch(<Dispatch as HostOps>::linear(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        params,
    ))
}

/// Three linear layers of one input: the queries, keys and values of an attention. The kernels multiply in the precision of the
/// first.
///
/// # Shapes
///
/// `x` `[T, K]`, weights `[K, N]` each → three of `[T, N]`.
pub fn linear_qkv(x: Tensor<2>, weights: [LinearWeights; 3]) -> Projections<3> {
    if !can_join(&x, &weights) {
        return separate(x, weights);
    }
    let (weights, learners) = merge_adapters(weights);
    let params = params_of(&weights);
    let [query, key, value] = weights.map(|weights| {
        let (weight, bias) = weights.into_kernel();
        (weight.into_dispatch(), bias.into_dispatch())
    });
    let joined = <Dispatch as HostOps>::linear_qkv(
        x.clone().into_dispatch(),
        query.0,
        query.1,
        key.0,
        key.1,
        value.0,
        value.1,
        params,
    );
    learners.learning(Tensor::from_dispatch(joined), x)
}

/// Two linear layers of one input: the keys and values of an attention. The kernels multiply in the precision of the first.
///
/// # Shapes
///
/// `x` `[T, K]`, weights `[K, N]` each → two of `[T, N]`.
pub fn linear_kv(x: Tensor<2>, weights: [LinearWeights; 2]) -> Projections<2> {
    if !can_join(&x, &weights) {
        return separate(x, weights);
    }
    let (weights, learners) = merge_adapters(weights);
    let params = params_of(&weights);
    let [key, value] = weights.map(|weights| {
        let (weight, bias) = weights.into_kernel();
        (weight.into_dispatch(), bias.into_dispatch())
    });
    let joined = <Dispatch as HostOps>::linear_kv(
        x.clone().into_dispatch(),
        key.0,
        key.1,
        value.0,
        value.1,
        params,
    );
    learners.learning(Tensor::from_dispatch(joined), x)
}

/// Whether the kernels compute the maps side by side.
fn can_join(x: &Tensor<2>, weights: &[LinearWeights]) -> bool {
    let mut adapters = weights.iter().filter_map(|map| map.low_rank.as_ref());
    runs_kernel(x) && adapters.all(|adapter| low_rank::can_merge(x, adapter))
}

/// What learns behind the product of each map that has an adapter.
struct Learners<const M: usize>([Option<low_rank::Learner>; M]);

/// The maps with their adapters merged. Where there is one, none keeps its packed weights: products side by side have one format.
fn merge_adapters<const M: usize>(
    weights: [LinearWeights; M],
) -> ([LinearWeights; M], Learners<M>) {
    let mut learners = [const { None }; M];
    let has_adapter = weights.iter().any(|map| map.low_rank.is_some());
    let mut next = learners.iter_mut();
    let weights = weights.map(|mut map| {
        let learner = next.next();
        match map.low_rank.take() {
            None if has_adapter => LinearWeights {
                packed: None,
                ..map
            },
            None => map,
            Some(adapter) => {
                let (map, learns) = low_rank::merged(map, adapter);
                learner
                    .into_iter()
                    .for_each(|learner| *learner = Some(learns.clone()));
                map
            }
        }
    });
    (weights, Learners(learners))
}

impl<const M: usize> Learners<M> {
    /// The outputs side by side `[T, M · N]`, behind which the adapters learn.
    fn learning(self, joined: Tensor<2>, x: Tensor<2>) -> Projections<M> {
        let [_, width] = joined.dims();
        let is_training = x.device().is_autodiff();
        let learners = self.0.into_iter().enumerate().filter(|_| is_training);
        let joined = learners.fold(joined, |joined, (map, learner)| match learner {
            None => joined,
            Some(learner) => learner.learning(joined, x.clone(), map * width / M),
        });
        Projections::from_joined(joined)
    }
}

fn params_of(weights: &[LinearWeights]) -> LinearParams {
    LinearParams {
        epilogue: Epilogue::Bias,
        packed: weights.iter().map(|map| map.packed.clone()).collect(),
        precision: weights[0].precision,
    }
}

/// [`linear_qkv`] and [`linear_kv`], map by map.
fn separate<const M: usize>(x: Tensor<2>, weights: [LinearWeights; M]) -> Projections<M> {
    let output = |map: LinearWeights| linear(x.clone(), map, Epilogue::Bias);
    Projections::from_separate(weights.map(output))
}

/// The composed body of [`linear`].
///
/// # Shapes
///
/// `x` `[T, K]`, `weight` `[K, N]`, `bias` `[N]` → `[T, N]`.
pub fn linear_composed(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    epilogue: Epilogue,
) -> Tensor<2> {
    let y = burn::tensor::module::linear(x, weight, bias);
    match epilogue {
        Epilogue::Bias => y,
        Epilogue::BiasGelu => gelu(y),
    }
}

/// The parameters of a kernel for linear layers of one input.
#[derive(Debug, Clone)]
pub(crate) struct LinearParams {
    /// Applied to the product. Several maps go with [`Epilogue::Bias`] only.
    pub(crate) epilogue: Epilogue,
    /// Where each packed weight is kept, if it is.
    pub(crate) packed: Vec<Option<Arc<PackedWeight>>>,
    /// Of the products where the weight is not packed.
    pub(crate) precision: Precision,
}

/// State for the backward pass of linear layers of one input, or of the two of a feed-forward network.
#[derive(Debug, Clone)]
pub(crate) struct SavedLinear<F> {
    /// The weights `[K, N]`.
    pub(crate) weights: Vec<F>,
    pub(crate) activations: SavedActivations<F>,
}

/// What is saved of the forward pass, in the precision of the products.
#[derive(Debug, Clone)]
pub(crate) enum SavedActivations<F> {
    F32 {
        /// The input `[T, K]`, where a weight wants a gradient.
        x: Option<F>,
        /// The input of the activation, `[T, N]`, if there is an activation.
        z: Option<Arc<Vec<f32>>>,
    },
    /// The same in bfloat16.
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    Bf16(Arc<crate::cpu::kept_bf16::Kept>),
}

#[derive(Debug)]
struct Linear;

/// The parents are x, then the weight and the bias of each map.
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
        let parents = ops.parents.map(|parent| parent.map(|parent| parent.id));
        register::<B>(grads, parents, gradients);
    }
}

/// Gives the parents that want one their gradients.
pub(crate) fn register<B: HostKernels>(
    grads: &mut Gradients,
    parents: impl IntoIterator<Item = Option<NodeId>>,
    gradients: Vec<Option<FloatTensor<B>>>,
) {
    for (parent, gradient) in parents.into_iter().zip(gradients) {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            grads.register::<B>(parent, gradient);
        }
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy, const PARENTS: usize>(
    inputs: [FloatTensor<Autodiff<B, C>>; PARENTS],
    params: LinearParams,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let mut weights = inputs[1..].iter().step_by(2);
    let keeps_input = weights.any(|weight| weight.is_tracked());
    let prepared = Backward::<B, PARENTS>::prepare::<C>(Linear, nodes).compute_bound();
    let inputs = inputs.map(|input| input.into_primitive()).to_vec();
    match prepared.stateful() {
        OpsKind::Tracked(prep) => {
            let (y, saved) = B::linear_saving(inputs, &params, keeps_input);
            prep.finish(saved, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(B::linear_of(inputs, &params)),
    }
}
