//! Operations on the halves of rows.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::Slices;
use crate::cpu::{gated, rotary};

pub(super) fn rotated<B: Slices>(
    joined: &FloatTensor<B>,
    cos: &FloatTensor<B>,
    sin: &FloatTensor<B>,
) -> FloatTensor<B> {
    let [_, half] = cos.shape().dims();
    let (cos, sin) = (B::elements(cos), B::elements(sin));
    let turned = rotary::forward(&B::elements(joined), &cos, &sin, half);
    B::tensor(turned, joined.shape())
}

pub(super) fn gated_gelu<B: Slices>(x: &FloatTensor<B>) -> FloatTensor<B> {
    let [rows, width] = x.shape().dims();
    let y = gated::forward(&B::elements(x), width / 2);
    B::tensor(y, Shape::new([rows, width / 2]))
}

pub(super) fn gated_gelu_backward<B: Slices>(
    x: &FloatTensor<B>,
    grad: &FloatTensor<B>,
) -> FloatTensor<B> {
    let [_, width] = x.shape().dims();
    let gradient = gated::backward(&B::elements(x), &B::elements(grad), width / 2);
    B::tensor(gradient, x.shape())
}
