// T tokens, N heads, D head width, H = N · D

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::Tensor;

use crate::dispatch::runs_kernel;
use crate::host_ops::{HostKernels, HostOps};
use crate::linear::Projections;

/// The angle by which each token turns each pair of a head's elements, as cosine and sine, `[T, D / 2]` each.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// `[T, D / 2]`.
    pub cos: Tensor<2>,
    /// `[T, D / 2]`.
    pub sin: Tensor<2>,
}

/// Rotary position embedding (Su et al., <https://arxiv.org/abs/2104.09864>) of queries and keys: element `i` of a head turns with
/// element `i + D / 2`. Values stay as they are. The angles receive no gradient.
///
/// # Shapes
///
/// Queries, keys and values `[T, H]` each → the same.
pub fn rotary(qkv: Projections<3>, rotation: &Rotation, heads: usize) -> Projections<3> {
    if runs_kernel(qkv.tensor()) {
        let joined = <Dispatch as HostOps>::rotary(
            qkv.into_joined().into_dispatch(),
            rotation.cos.clone().into_dispatch(),
            rotation.sin.clone().into_dispatch(),
        );
        return Projections::from_joined(Tensor::from_dispatch(joined));
    }
    let [queries, keys, values] = qkv.into_separate();
    let turned = |x| rotated(x, rotation, heads);
    Projections::from_separate([turned(queries), turned(keys), values])
}

fn rotated(x: Tensor<2>, rotation: &Rotation, heads: usize) -> Tensor<2> {
    let [tokens, width] = x.dims();
    let half = width / heads / 2;
    let x_tnd = x.reshape([tokens, heads, 2 * half]);
    let first = x_tnd.clone().narrow(2, 0, half);
    let second = x_tnd.narrow(2, half, half);
    let of_tokens = |angle: &Tensor<2>| angle.clone().reshape([tokens, 1, half]);
    let (cos, sin) = (of_tokens(&rotation.cos), of_tokens(&rotation.sin));
    let turned = [
        first.clone() * cos.clone() - second.clone() * sin.clone(),
        second * cos + first * sin,
    ];
    Tensor::cat(turned.to_vec(), 2).reshape([tokens, width])
}

#[derive(Debug)]
struct Rotary;

#[derive(Debug, Clone)]
struct Angles<F> {
    cos: F,
    sin: F,
}

impl<B: HostKernels> Backward<B, 1> for Rotary {
    type State = Angles<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let Angles { cos, sin } = ops.state;
        // The gradient turns back.
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::rotary(grad, cos, B::float_neg(sin))
        });
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy>(
    joined: FloatTensor<Autodiff<B, C>>,
    cos: FloatTensor<Autodiff<B, C>>,
    sin: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let prepared = Rotary.prepare::<C>([joined.node()]).compute_bound();
    let (cos, sin) = (cos.into_primitive(), sin.into_primitive());
    let turned = B::rotary(joined.into_primitive(), cos.clone(), sin.clone());
    match prepared.stateful() {
        OpsKind::Tracked(prep) => prep.finish(Angles { cos, sin }, turned),
        OpsKind::UnTracked(prep) => prep.finish(turned),
    }
}
