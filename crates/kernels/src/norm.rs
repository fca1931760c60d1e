use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch};
use burn::tensor::Tensor;

use crate::dispatch::kernels_are_off;
use crate::ops::BertOps;

/// The sum of the squares of all elements, from which a norm over many tensors is made.
///
/// # Shapes
///
/// Any shape → `[1]`.
pub fn sum_of_squares<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    if kernels_are_off() {
        return x.square().sum();
    }
    Tensor::from_dispatch(<Dispatch as BertOps>::sum_of_squares(x.into_dispatch()))
}

pub(crate) fn composed_of_primitives<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::float_sum(B::float_mul(x.clone(), x))
}
