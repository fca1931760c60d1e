use std::borrow::Cow;
use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::Slices;
use crate::cpu::layer_norm::{self, KeptRows, Normalized};
use crate::layer_norm::{NormalizedRows, SavedNorm};
use crate::params::{NormParams, Precision};

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
) -> (FloatTensor<B>, SavedNorm<FloatTensor<B>>) {
    let inputs = layer_norm::Inputs {
        x: &B::elements(x),
        residual: Some(&B::elements(residual)),
        gamma: &B::elements(gamma),
        beta: &B::elements(beta),
    };
    let (y, normalized, inverse_deviation) = match params.precision {
        Precision::F32 => {
            let (y, saved) = layer_norm::forward_saving(inputs, params);
            let [normalized, inverse_deviation] = saved_tensors::<B>(saved, x.shape());
            (y, NormalizedRows::F32(normalized), inverse_deviation)
        }
        Precision::Bf16 => {
            let (y, (rows, inverse_deviation)) = layer_norm::forward_saving_bf16(inputs, params);
            let length = Shape::new([inverse_deviation.len()]);
            let inverse_deviation = B::tensor(inverse_deviation, length);
            (y, NormalizedRows::Bf16(Arc::new(rows)), inverse_deviation)
        }
    };
    let saved = SavedNorm {
        normalized,
        inverse_deviation,
    };
    (B::tensor(y, x.shape()), saved)
}

pub(super) fn saved_tensors<B: Slices>(saved: Normalized, shape: Shape) -> [FloatTensor<B>; 2] {
    let rows = Shape::new([saved.inverse_deviation.len()]);
    [
        B::tensor(saved.normalized, shape),
        B::tensor(saved.inverse_deviation, rows),
    ]
}

pub(super) fn backward<B: Slices>(
    SavedNorm {
        normalized,
        inverse_deviation,
    }: &SavedNorm<FloatTensor<B>>,
    gamma: &FloatTensor<B>,
    grad: &FloatTensor<B>,
    params: NormParams,
) -> [FloatTensor<B>; 4] {
    let rows = match normalized {
        NormalizedRows::F32(rows) => B::elements(rows),
        NormalizedRows::Bf16(_) => Cow::default(),
    };
    let normalized = match normalized {
        NormalizedRows::F32(_) => KeptRows::F32(&rows),
        NormalizedRows::Bf16(rows) => KeptRows::Bf16(rows),
    };
    let gradients = layer_norm::backward(
        normalized,
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
