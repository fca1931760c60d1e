use std::borrow::Cow;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::Slices;
use crate::attention::{SavedAttention, SavedInputs};
use crate::cpu::attention::{self, Bias, Layout, Operands};
use crate::cpu::elementwise;
use crate::params::{AttentionParams, Precision};
use crate::relative::Relative;

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
    relative: Relative<FloatTensor<B>>,
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
    let of_distances = of_distances::<B>(&relative, &params);
    let (context, statistics) = with_operands::<B, _>(&inputs, |operands| {
        let inputs = attention::Inputs {
            operands,
            mask: &B::elements(&mask),
            relative: of_distances.as_ref(),
        };
        attention::forward(inputs, &params)
    });
    let rows: usize = params.query_lengths.iter().sum();
    let length = Shape::new([statistics.len()]);
    let saved = SavedAttention {
        inputs,
        shapes,
        relative,
        mask,
        statistics: B::tensor(statistics, length),
        params,
    };
    (B::tensor(context, Shape::new([rows, hidden_size])), saved)
}

/// What distances add, as blocks of scores read it.
fn of_distances<B: Slices>(
    relative: &Relative<FloatTensor<B>>,
    params: &AttentionParams,
) -> Option<attention::Relative> {
    let heads = params.heads;
    match relative {
        Relative::Nothing => None,
        Relative::Bias(bias) => {
            let bias = Bias::new(&B::elements(bias), heads);
            Some(attention::Relative::Bias(bias))
        }
        Relative::Positions(positions) => {
            let width = relative.tensors().first()?.shape()[1];
            let [keys, queries] = [&positions.keys, &positions.queries]
                .map(|rows| rows.as_ref().map(|rows| B::elements(rows)));
            let positions = attention::Positions::new(
                keys.as_deref(),
                queries.as_deref(),
                [heads, width],
                params.precision,
            );
            Some(attention::Relative::Positions(positions))
        }
    }
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

/// The gradients of the inputs, and of the tensors of what distances add.
pub(super) fn backward<B: Slices>(
    saved: SavedAttention<FloatTensor<B>>,
    grad: &FloatTensor<B>,
) -> Vec<FloatTensor<B>> {
    let (mask, statistics) = (B::elements(&saved.mask), B::elements(&saved.statistics));
    let of_distances = of_distances::<B>(&saved.relative, &saved.params);
    let (gradient, of_relative) = with_operands::<B, _>(&saved.inputs, |operands| {
        let inputs = attention::Inputs {
            operands,
            mask: &mask,
            relative: of_distances.as_ref(),
        };
        attention::backward(inputs, &statistics, &B::elements(grad), &saved.params)
    });
    let gradients = match gradient {
        attention::Gradient::Joined(joined) => vec![joined],
        attention::Gradient::Separate(queries, keys_values) => vec![queries, keys_values],
    };
    let of_relative = of_relative.into_iter().zip(saved.relative.tensors());
    let of_relative = of_relative.map(|(gradient, like)| (gradient, like.shape()));
    let gradients = gradients.into_iter().zip(saved.shapes.iter().cloned());
    gradients
        .chain(of_relative)
        .map(|(gradient, shape)| B::tensor(gradient, shape))
        .collect()
}
