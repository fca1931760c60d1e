use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch};
use burn::tensor::Tensor;

use crate::dispatch::kernels_are_off;
use crate::ops::BertOps;

/// `1 / √(2π)`, the factor of the standard normal density.
const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// The Gaussian error linear unit `x · Φ(x)` (Hendrycks and Gimpel, <https://arxiv.org/abs/1606.08415>), computed from erf,
/// with its exact derivative on every backend. It is `hidden_act = "gelu"` of a BERT configuration.
///
/// # Shapes
///
/// Any shape; the output has the shape of the input.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if kernels_are_off() {
        return gelu_composed(x);
    }
    Tensor::from_dispatch(<Dispatch as BertOps>::erf_gelu(x.into_dispatch()))
}

/// The composed body of [`gelu`].
///
/// # Shapes
///
/// Any shape; the output has the shape of the input.
pub fn gelu_composed<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let cdf = (x.clone() / core::f64::consts::SQRT_2).erf() * 0.5 + 0.5;
    x * cdf
}

pub(crate) fn backward_of_primitives<B: Backend>(
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
) -> FloatTensor<B> {
    let scaled = B::float_mul_scalar(x.clone(), core::f64::consts::FRAC_1_SQRT_2.into());
    let erf = B::float_erf(scaled);
    let cdf = B::float_add_scalar(B::float_mul_scalar(erf, 0.5.into()), 0.5.into());
    let exponent = B::float_mul_scalar(B::float_mul(x.clone(), x.clone()), (-0.5).into());
    let density = B::float_mul_scalar(B::float_exp(exponent), INV_SQRT_2PI.into());
    let derivative = B::float_add(cdf, B::float_mul(x, density));
    B::float_mul(grad, derivative)
}

#[derive(Debug)]
struct ErfGelu;

impl<B: BertOps> Backward<B, 1> for ErfGelu {
    type State = NodeId;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let x = checkpointer.retrieve_node_output::<FloatTensor<B>>(ops.state);
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::erf_gelu_backward(x, grad)
        });
    }
}

pub(crate) fn tracked<B: BertOps, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    match ErfGelu.prepare::<C>([x.node()]).compute_bound().stateful() {
        OpsKind::Tracked(mut prep) => {
            let state = prep.checkpoint(&x);
            prep.finish(state, B::erf_gelu(x.into_primitive()))
        }
        OpsKind::UnTracked(prep) => prep.finish(B::erf_gelu(x.into_primitive())),
    }
}
