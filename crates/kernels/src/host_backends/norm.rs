use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::Slices;
use crate::cpu::layer_norm::{self, Normalized};
use crate::params::NormParams;

pub(super) fn forward<B: Slices>(
    [x, residual, gamma, beta]: &[FloatTensor<B>; 4],
    params: NormParams,
) -> FloatTensor<B> {
    let inputs = layer_norm::Inputs {
        x: &B::elements(x),
        residual: Some(&B::elements(residual)),
        gamma: &B::elements(gamma),
        beta: &B::elements(beta),
    };
    B::tensor(layer_norm::forward(inputs, params), x.shape())
}

pub(super) fn forward_saving<B: Slices>(
    [x, residual, gamma, beta]: &[FloatTensor<B>; 4],
    params: NormParams,
) -> [FloatTensor<B>; 3] {
    let inputs = layer_norm::Inputs {
        x: &B::elements(x),
        residual: Some(&B::elements(residual)),
        gamma: &B::elements(gamma),
        beta: &B::elements(beta),
    };
    let (y, saved) = layer_norm::forward_saving(inputs, params);
    let [normalized, inverse_deviation] = saved_tensors::<B>(saved, x.shape());
    [B::tensor(y, x.shape()), normalized, inverse_deviation]
}

pub(super) fn saved_tensors<B: Slices>(saved: Normalized, shape: Shape) -> [FloatTensor<B>; 2] {
    let rows = Shape::new([saved.inverse_deviation.len()]);
    [
        B::tensor(saved.normalized, shape),
        B::tensor(saved.inverse_deviation, rows),
    ]
}

pub(super) fn backward<B: Slices>(
    [normalized, inverse_deviation]: &[FloatTensor<B>; 2],
    gamma: &FloatTensor<B>,
    grad: &FloatTensor<B>,
    params: NormParams,
) -> [FloatTensor<B>; 4] {
    let gradients = layer_norm::backward(
        &B::elements(normalized),
        &B::elements(inverse_deviation),
        &B::elements(gamma),
        &B::elements(grad),
        params,
    );
    let residual = B::tensor(gradients.residual, grad.shape());
    let x = match gradients.x {
        None => residual.clone(),
        Some(x) => B::tensor(x, grad.shape()),
    };
    [
        x,
        residual,
        B::tensor(gradients.gamma, gamma.shape()),
        B::tensor(gradients.beta, gamma.shape()),
    ]
}
