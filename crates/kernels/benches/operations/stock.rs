//! What the operations need beside their inputs, and what Burn itself would do where the crate has no composed body.

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};

use crate::PROBABILITY;

/// Spreads ids over a table, so that looking them up touches as much memory as real text.
const STRIDE: usize = 7919;

/// `[1, H]` → `[H]`.
pub(crate) fn row(x: Tensor<2>) -> Tensor<1> {
    x.squeeze_dim::<1>(0)
}

/// What dropout multiplies by, drawn as `burn::nn::Dropout` draws it.
pub(crate) fn kept<const D: usize>(x: &Tensor<D>) -> Tensor<D> {
    let bernoulli = Distribution::Bernoulli(1.0 - PROBABILITY);
    Tensor::random(x.dims(), bernoulli, &x.device()) / (1.0 - PROBABILITY)
}

/// Ids below `range`.
pub(crate) fn ids(shape: [usize; 2], range: usize, device: &Device) -> Tensor<2, Int> {
    let ids: Vec<i32> = (0..shape[0] * shape[1])
        .map(|place| (place * STRIDE % range) as i32)
        .collect();
    Tensor::from_data(TensorData::new(ids, shape), device)
}

/// One class a row.
pub(crate) fn classes(rows: usize, classes: usize, device: &Device) -> Tensor<1, Int> {
    ids([rows, 1], classes, device).reshape([rows])
}
