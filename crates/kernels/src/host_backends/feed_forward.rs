use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::Slices;
use super::linear::{Parameters, tensors, wanted_of_maps};
use crate::cpu::feed_forward::{self, Sizes};
use crate::cpu::linear_bf16::RoundedGradient;
use crate::cpu::{feed_forward_bf16, linear};
use crate::feed_forward::FeedForwardParams;
use crate::linear::{SavedActivations, SavedLinear};
use crate::params::Precision;

/// Of an input or output of T rows, and of both weights.
fn sizes_of<B: Slices>(of_rows: &FloatTensor<B>, weights: [&FloatTensor<B>; 2]) -> Sizes {
    let [rows, _] = of_rows.shape().dims();
    let [[input, inner], [_, output]] = weights.map(|weight| weight.shape().dims());
    Sizes {
        rows,
        input,
        inner,
        output,
    }
}

/// Uses packed weights where they are kept.
pub(super) fn forward<B: Slices>(
    inputs: &[FloatTensor<B>; 5],
    params: &FeedForwardParams,
) -> FloatTensor<B> {
    let [x, w1, _, w2, _] = inputs;
    let sizes = sizes_of::<B>(x, [w1, w2]);
    let elements = Parameters::of::<B>(&inputs[1..]);
    let kept = elements.kept::<B>(&inputs[1..], &params.packed, |map, weight| {
        sizes.panels(map, weight)
    });
    let maps = elements.maps(params.precision, &kept);
    let y = feed_forward::forward(&B::elements(x), [maps[0], maps[1]], sizes);
    B::tensor(y, Shape::new([sizes.rows, sizes.output]))
}

/// The output, and what the backward pass needs. Packed weights are not used.
pub(super) fn forward_saving<B: Slices>(
    inputs: &[FloatTensor<B>; 5],
    params: &FeedForwardParams,
    keeps_input: bool,
) -> (FloatTensor<B>, SavedLinear<FloatTensor<B>>) {
    let [x, w1, _, w2, _] = inputs;
    let sizes = sizes_of::<B>(x, [w1, w2]);
    let elements = Parameters::of::<B>(&inputs[1..]);
    let maps = elements.maps(params.precision, &[]);
    let (maps, rows) = ([maps[0], maps[1]], B::elements(x));
    let (y, activations) = match params.precision {
        Precision::F32 => {
            let [y, z] = feed_forward::forward_saving(&rows, maps, sizes);
            let saved = SavedActivations::F32 {
                x: keeps_input.then(|| x.clone()),
                z: Some(Arc::new(z)),
            };
            (y, saved)
        }
        Precision::Bf16 => {
            let (y, kept) = feed_forward_bf16::forward_saving(&rows, maps, sizes, keeps_input);
            (y, SavedActivations::Bf16(Arc::new(kept)))
        }
    };
    let saved = SavedLinear {
        weights: vec![w1.clone(), w2.clone()],
        activations,
    };
    (B::tensor(y, Shape::new([sizes.rows, sizes.output])), saved)
}

pub(super) fn backward<B: Slices>(
    saved: SavedLinear<FloatTensor<B>>,
    grad: FloatTensor<B>,
    wanted: &[bool],
) -> Vec<Option<FloatTensor<B>>> {
    let [w1, w2] = [&saved.weights[0], &saved.weights[1]];
    let sizes = sizes_of::<B>(&grad, [w1, w2]);
    let elements = [B::elements(w1), B::elements(w2)];
    let weights = elements.each_ref().map(|weight| &**weight);
    let of_maps = wanted_of_maps(wanted);
    let wanted = linear::Wanted {
        x: wanted[0],
        maps: &of_maps,
    };
    let gradients = match saved.activations {
        SavedActivations::F32 { x, z } => {
            let x = x.as_ref().map(B::elements);
            let z = Arc::unwrap_or_clone(z.unwrap_or_default());
            let grad = B::elements(&grad);
            feed_forward::backward(x.as_deref(), z, weights, &grad, sizes, wanted)
        }
        SavedActivations::Bf16(kept) => {
            let rounded = RoundedGradient::of_output(&B::elements(&grad), sizes.output);
            drop(grad);
            let kept = Arc::unwrap_or_clone(kept);
            feed_forward_bf16::backward(kept, weights, rounded, sizes, wanted)
        }
    };
    tensors::<B>(gradients, &saved.weights)
}
