//! The operations that the kernels for GPUs compute, and their backward passes.

#![cfg_attr(
    not(any(feature = "wgpu", feature = "cuda")),
    allow(
        unused_variables,
        dead_code,
        reason = "without a GPU there is nothing to dispatch to"
    )
)]

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata, backend_extension};

use crate::adamw::{AdamWPrimitives, AdamWStep};
use crate::params::Epilogue;

/// Elements of a tensor that are one part when its squares are summed, unless there would be more than [`MOST_PARTS`].
const PART: usize = 1024;
const MOST_PARTS: usize = 64;
/// Numbers that a step leaves behind: its loss, the norm of its gradients, and the factor that clips them, which is negative
/// where one of the others is not finite.
pub(crate) const OUTCOME: usize = 3;

/// Into so many parts a tensor of `count` elements is divided when its squares are summed.
pub(crate) fn parts_of(count: usize) -> usize {
    count.div_ceil(PART).clamp(1, MOST_PARTS)
}

/// The parameters of a LayerNorm after dropout and a residual connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GpuNorm {
    pub(crate) epsilon: f64,
    /// Of dropout.
    pub(crate) probability: f64,
    /// Whether there is a residual; another tensor stands in its place where there is none.
    pub(crate) adds: bool,
    /// Whether there is β; another tensor stands in its place where there is none.
    pub(crate) has_beta: bool,
}

/// The parameters of a softmax over scores `[B, N, Q, S]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GpuSoftmax {
    pub(crate) shape: [usize; 4],
    /// Of the scores, before the mask is added.
    pub(crate) scale: f64,
    /// Of dropout.
    pub(crate) probability: f64,
    /// Whether there is a mask; another tensor stands in its place where there is none.
    pub(crate) masks: bool,
    /// From one batch, and from one query, to the next in the mask.
    pub(crate) mask_strides: [usize; 2],
}

/// What the norm of the gradients is compared with, and where the outcome of the step is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clip {
    pub(crate) max_norm: Option<f64>,
    pub(crate) epsilon: f64,
    /// Of the outcome.
    pub(crate) index: usize,
}

/// Differentiable operations. A `seed` is two numbers in [0, 1), which decide on a dropout; it is not read without one.
#[backend_extension(Cube: cfg(any(feature = "wgpu", feature = "cuda")), Autodiff)]
pub(crate) trait GpuOps: Backend {
    /// Dropout, whose gradient is the same operation.
    fn gpu_dropout(
        x: FloatTensor<Self>,
        seed: FloatTensor<Self>,
        probability: f64,
    ) -> FloatTensor<Self>;

    /// `LayerNorm(residual + dropout(x)) · γ + β` of rows `[T, H]`.
    fn gpu_add_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        seed: FloatTensor<Self>,
        params: GpuNorm,
    ) -> FloatTensor<Self>;

    /// `dropout(softmax(scale · scores + mask))`; the mask has no gradient.
    fn gpu_softmax(
        scores: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        seed: FloatTensor<Self>,
        params: GpuSoftmax,
    ) -> FloatTensor<Self>;

    /// `x + b` `[T, N]` through the epilogue.
    fn gpu_biased(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epilogue: Epilogue,
    ) -> FloatTensor<Self>;
}

/// An optimiser step that leaves its outcome on the device; not differentiable.
#[backend_extension(Cube: cfg(any(feature = "wgpu", feature = "cuda")))]
pub(crate) trait GpuSteps: Backend {
    /// `sums`, in which the sums of squares of the [parts](parts_of) of `x` have replaced those from `first` on.
    fn gpu_squares(
        sums: FloatTensor<Self>,
        x: FloatTensor<Self>,
        first: usize,
    ) -> FloatTensor<Self>;

    /// `outcomes`, in which that of this step has replaced the one of its index.
    fn gpu_clip(
        outcomes: FloatTensor<Self>,
        sums: FloatTensor<Self>,
        loss: FloatTensor<Self>,
        clip: Clip,
    ) -> FloatTensor<Self>;

    /// One AdamW step on tensors `[N]`, by gradients that the outcome of this index clips.
    fn gpu_adamw(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first_moment: FloatTensor<Self>,
        second_moment: FloatTensor<Self>,
        outcomes: FloatTensor<Self>,
        index: usize,
        step: AdamWStep,
    ) -> AdamWPrimitives<Self>;
}

/// The kernels by which [`GpuOps`] are differentiated.
pub(crate) trait GpuKernels: GpuOps {
    /// [`gpu_add_norm`](GpuOps::gpu_add_norm) of x, residual, γ, β and the seed, and state for its backward pass.
    fn add_norm_saving(inputs: [FloatTensor<Self>; 5], params: GpuNorm) -> [FloatTensor<Self>; 2];

    /// The gradients of x, residual, γ and β.
    fn add_norm_backward(
        saved: FloatTensor<Self>,
        gamma_grad_seed: [FloatTensor<Self>; 3],
        params: GpuNorm,
    ) -> [FloatTensor<Self>; 4];

    /// [`gpu_softmax`](GpuOps::gpu_softmax) of scores, mask and the seed, and the probabilities before dropout.
    fn softmax_saving(inputs: [FloatTensor<Self>; 3], params: GpuSoftmax)
    -> [FloatTensor<Self>; 2];

    /// The gradient of the scores.
    fn softmax_backward(
        probabilities_grad_seed: [FloatTensor<Self>; 3],
        params: GpuSoftmax,
    ) -> FloatTensor<Self>;

    /// The gradient of `GELU(x + b)` at `x + b`.
    fn biased_gelu_backward(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// Sums over the rows, `[T, N]` → `[N]`.
    fn column_sums(grad: FloatTensor<Self>, width: usize) -> FloatTensor<Self>;
}

impl<B: GpuKernels, C: CheckpointStrategy> GpuOps for Autodiff<B, C> {
    fn gpu_dropout(
        x: FloatTensor<Self>,
        seed: FloatTensor<Self>,
        probability: f64,
    ) -> FloatTensor<Self> {
        let prepared = Dropout.prepare::<C>([x.node()]).compute_bound();
        let seed = seed.into_primitive();
        let y = B::gpu_dropout(x.into_primitive(), seed.clone(), probability);
        match prepared.stateful() {
            OpsKind::Tracked(prep) => prep.finish((seed, probability), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn gpu_add_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        seed: FloatTensor<Self>,
        params: GpuNorm,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), residual.node(), gamma.node(), beta.node()];
        let prepared = AddNorm.prepare::<C>(nodes).compute_bound();
        let inputs = [x, residual, gamma, beta, seed].map(|input| input.into_primitive());
        let [gamma, seed] = [2, 4].map(|index| inputs[index].clone());
        let [y, saved] = B::add_norm_saving(inputs, params);
        match prepared.stateful() {
            OpsKind::Tracked(prep) => prep.finish(([saved, gamma, seed], params), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn gpu_softmax(
        scores: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        seed: FloatTensor<Self>,
        params: GpuSoftmax,
    ) -> FloatTensor<Self> {
        let prepared = Softmax.prepare::<C>([scores.node()]).compute_bound();
        let inputs = [scores, mask, seed].map(|input| input.into_primitive());
        let seed = inputs[2].clone();
        let [dropped, probabilities] = B::softmax_saving(inputs, params);
        match prepared.stateful() {
            OpsKind::Tracked(prep) => prep.finish(([probabilities, seed], params), dropped),
            OpsKind::UnTracked(prep) => prep.finish(dropped),
        }
    }

    fn gpu_biased(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epilogue: Epilogue,
    ) -> FloatTensor<Self> {
        let prepared = Backward::<B, 2>::prepare::<C>(Biased, [x.node(), bias.node()]);
        let prepared = prepared.compute_bound();
        let [x, bias] = [x, bias].map(|input| input.into_primitive());
        match prepared.stateful() {
            OpsKind::Tracked(prep) => {
                let width = bias.shape().num_elements();
                let before_gelu = match epilogue {
                    Epilogue::Bias => None,
                    Epilogue::BiasGelu => Some([x.clone(), bias.clone()]),
                };
                prep.finish((before_gelu, width), B::gpu_biased(x, bias, epilogue))
            }
            OpsKind::UnTracked(prep) => prep.finish(B::gpu_biased(x, bias, epilogue)),
        }
    }
}

#[derive(Debug)]
struct Dropout;

impl<B: GpuKernels> Backward<B, 1> for Dropout {
    type State = (FloatTensor<B>, f64);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (seed, probability) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::gpu_dropout(grad, seed, probability)
        });
    }
}

#[derive(Debug)]
struct AddNorm;

/// The parents are x, residual, γ and β; the state is that of the kernel, γ and the seed.
impl<B: GpuKernels> Backward<B, 4> for AddNorm {
    type State = ([FloatTensor<B>; 3], GpuNorm);

    fn backward(
        self,
        ops: Ops<Self::State, 4>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let ([saved, gamma, seed], params) = ops.state;
        let gradients = B::add_norm_backward(saved, [gamma, grad, seed], params);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct Softmax;

/// The state is the probabilities and the seed.
impl<B: GpuKernels> Backward<B, 1> for Softmax {
    type State = ([FloatTensor<B>; 2], GpuSoftmax);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let ([probabilities, seed], params) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::softmax_backward([probabilities, grad, seed], params)
        });
    }
}

#[derive(Debug)]
struct Biased;

/// The state is x and the bias, where there is a GELU behind their sum, and the width of the bias.
impl<B: GpuKernels> Backward<B, 2> for Biased {
    type State = (Option<[FloatTensor<B>; 2]>, usize);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (before_gelu, width) = ops.state;
        let grad = match before_gelu {
            None => grad,
            Some([x, bias]) => B::biased_gelu_backward(x, bias, grad),
        };
        let [x, bias] = ops.parents;
        if let Some(bias) = bias {
            grads.register::<B>(bias.id, B::column_sums(grad.clone(), width));
        }
        if let Some(x) = x {
            grads.register::<B>(x.id, grad);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parts_of;

    #[test]
    fn a_tensor_has_as_many_parts_as_it_is_long() {
        for (count, parts) in [(0, 1), (1024, 1), (1025, 2), (10_000_000, 64)] {
            assert_eq!(parts_of(count), parts, "{count}");
        }
    }
}
