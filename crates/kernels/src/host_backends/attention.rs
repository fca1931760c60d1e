use std::borrow::Cow;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::Slices;
use crate::cpu::attention;
use crate::params::AttentionParams;

fn layout<'a>(inputs: &'a [Cow<'_, [f32]>]) -> attention::Layout<'a> {
    match inputs {
        [joined] => attention::Layout::Joined(joined),
        [queries, keys_values] => attention::Layout::Separate(queries, keys_values),
        _ => unreachable!("attention has one input or two"),
    }
}

pub(super) fn forward<B: Slices>(
    inputs: &[FloatTensor<B>],
    mask: &FloatTensor<B>,
    params: &AttentionParams,
) -> [FloatTensor<B>; 2] {
    let elements: Vec<Cow<'_, [f32]>> = inputs.iter().map(B::elements).collect();
    let inputs = attention::Inputs {
        layout: layout(&elements),
        mask: &B::elements(mask),
    };
    let (context, statistics) = attention::forward(inputs, params);
    let rows: usize = params.query_lengths.iter().sum();
    let width = context.len() / rows.max(1);
    let length = Shape::new([statistics.len()]);
    [
        B::tensor(context, Shape::new([rows, width])),
        B::tensor(statistics, length),
    ]
}

pub(super) fn backward<B: Slices>(
    inputs: &[FloatTensor<B>],
    mask: &FloatTensor<B>,
    saved: &FloatTensor<B>,
    grad: &FloatTensor<B>,
    params: &AttentionParams,
) -> Vec<FloatTensor<B>> {
    let elements: Vec<Cow<'_, [f32]>> = inputs.iter().map(B::elements).collect();
    let all = attention::Inputs {
        layout: layout(&elements),
        mask: &B::elements(mask),
    };
    let gradient = attention::backward(all, &B::elements(saved), &B::elements(grad), params);
    let gradients = match gradient {
        attention::Gradient::Joined(joined) => vec![joined],
        attention::Gradient::Separate(queries, keys_values) => vec![queries, keys_values],
    };
    let tensors = gradients.into_iter().zip(inputs);
    tensors
        .map(|(gradient, input)| B::tensor(gradient, input.shape()))
        .collect()
}
