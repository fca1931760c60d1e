use std::borrow::Cow;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::Slices;
use crate::attention::{SavedAttention, SavedInputs};
use crate::cpu::attention::{self, Bias, Layout, Operands};
use crate::cpu::elementwise;
use crate::params::{AttentionParams, Precision};

fn layout<'a, E>(inputs: &'a [impl AsRef<[E]>]) -> Layout<'a, E> {
    match inputs {
        [joined] => Layout::Joined(joined.as_ref()),
        [queries, keys_values] => Layout::Separate(queries.as_ref(), keys_values.as_ref()),
        _ => unreachable!("attention has one input or two"),
    }
}

/// Rounded, where they are to be.
fn rounded<B: Slices>(inputs: &[FloatTensor<B>], precision: Precision) -> Option<Vec<Vec<u16>>> {
    let round = |input| elementwise::round(&B::elements(input));
    (precision == Precision::Bf16).then(|| inputs.iter().map(round).collect())
}

/// The context `[Q, H]`, and what the backward pass needs.
pub(super) fn forward<B: Slices>(
    inputs: Vec<FloatTensor<B>>,
    bias: Option<FloatTensor<B>>,
    mask: FloatTensor<B>,
    params: AttentionParams,
) -> (FloatTensor<B>, SavedAttention<FloatTensor<B>>) {
    let shapes: Vec<Shape> = inputs.iter().map(TensorMetadata::shape).collect();
    let hidden_size = match &*shapes {
        [joined] => joined[1] / 3,
        shapes => shapes[0][1],
    };
    let inputs = match rounded::<B>(&inputs, params.precision) {
        None => SavedInputs::F32(inputs),
        Some(rounded) => SavedInputs::Bf16(rounded.into()),
    };
    let rows = bias.as_ref().map(|bias| rows_of_bias::<B>(bias, &params));
    let (context, statistics) = with_operands::<B, _>(&inputs, |operands| {
        let (mask, bias) = (&B::elements(&mask), rows.as_ref());
        let inputs = attention::Inputs {
            operands,
            mask,
            bias,
        };
        attention::forward(inputs, &params)
    });
    let rows: usize = params.query_lengths.iter().sum();
    let length = Shape::new([statistics.len()]);
    let saved = SavedAttention {
        inputs,
        shapes,
        bias,
        mask,
        statistics: B::tensor(statistics, length),
        params,
    };
    (B::tensor(context, Shape::new([rows, hidden_size])), saved)
}

fn rows_of_bias<B: Slices>(bias: &FloatTensor<B>, params: &AttentionParams) -> Bias {
    Bias::new(&B::elements(bias), params.heads)
}

/// Calls `f` with what was saved.
fn with_operands<B: Slices, R>(
    inputs: &SavedInputs<FloatTensor<B>>,
    f: impl FnOnce(Operands<'_>) -> R,
) -> R {
    match inputs {
        SavedInputs::F32(inputs) => {
            let elements: Vec<Cow<'_, [f32]>> = inputs.iter().map(B::elements).collect();
            f(Operands::F32(layout(&elements)))
        }
        SavedInputs::Bf16(rounded) => f(Operands::Bf16(layout(rounded))),
    }
}

/// The gradients of the inputs, and of the bias if there is one.
pub(super) fn backward<B: Slices>(
    saved: SavedAttention<FloatTensor<B>>,
    grad: &FloatTensor<B>,
) -> Vec<FloatTensor<B>> {
    let (mask, statistics) = (B::elements(&saved.mask), B::elements(&saved.statistics));
    let bias = saved.bias.as_ref();
    let rows = bias.map(|bias| rows_of_bias::<B>(bias, &saved.params));
    let (gradient, of_bias) = with_operands::<B, _>(&saved.inputs, |operands| {
        let (mask, bias) = (&mask, rows.as_ref());
        let inputs = attention::Inputs {
            operands,
            mask,
            bias,
        };
        attention::backward(inputs, &statistics, &B::elements(grad), &saved.params)
    });
    let of_bias = bias
        .zip(of_bias)
        .map(|(bias, gradient)| B::tensor(gradient, bias.shape()));
    let gradients = match gradient {
        attention::Gradient::Joined(joined) => vec![joined],
        attention::Gradient::Separate(queries, keys_values) => vec![queries, keys_values],
    };
    let gradients = gradients.into_iter().zip(&saved.shapes);
    gradients
        .map(|(gradient, shape)| B::tensor(gradient, shape.clone()))
        .chain(of_bias)
        .collect()
}
