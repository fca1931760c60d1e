use std::borrow::Cow;
use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::Slices;
use crate::cpu::gemm::pack_rhs::RhsPanels;
use crate::cpu::linear_bf16::RoundedGradient;
use crate::cpu::{linear, linear_bf16};
use crate::linear::{LinearParams, SavedActivations, SavedLinear};
use crate::packed::{Kept, PackedWeight};
use crate::params::{Epilogue, Precision};

/// T, K, N and P of an input or output of T rows and of so many weights.
fn sizes_of<B: Slices>(
    of_rows: &FloatTensor<B>,
    weight: &FloatTensor<B>,
    maps: usize,
) -> linear::Sizes {
    let [rows, _] = of_rows.shape().dims();
    let [k, columns] = weight.shape().dims();
    linear::Sizes {
        rows,
        k,
        columns,
        maps,
    }
}

/// The weights and biases of maps `[W₁, b₁, W₂, b₂, …]`, as they come after the input.
pub(super) struct Parameters<'a>(Vec<Cow<'a, [f32]>>);

impl<'a> Parameters<'a> {
    pub(super) fn of<B: Slices>(parameters: &'a [FloatTensor<B>]) -> Self {
        Self(parameters.iter().map(B::elements).collect())
    }

    /// The packed weight of each map that keeps one; `pack` packs the weight of a map.
    pub(super) fn kept<B: Slices>(
        &self,
        parameters: &[FloatTensor<B>],
        packed: &[Option<Arc<PackedWeight>>],
        pack: impl Fn(usize, &[f32]) -> RhsPanels,
    ) -> Vec<Option<Arc<Kept>>> {
        let weights = parameters.iter().zip(&self.0).step_by(2).enumerate();
        packed
            .iter()
            .zip(weights)
            .map(|(packed, (map, (tensor, weight)))| match (packed, weight) {
                (Some(packed), Cow::Borrowed(weight)) => {
                    Some(packed.of(weight, tensor, || pack(map, weight)))
                }
                _ => None,
            })
            .collect()
    }

    /// The maps, with the packed weights of those that keep one.
    pub(super) fn maps<'b>(
        &'b self,
        precision: Precision,
        kept: &'b [Option<Arc<Kept>>],
    ) -> Vec<linear::Map<'b>> {
        let maps = self.0.chunks_exact(2).enumerate();
        maps.map(|(map, elements)| linear::Map {
            weight: &elements[0],
            panels: kept
                .get(map)
                .and_then(Option::as_ref)
                .map(|kept| &kept.panels),
            bias: &elements[1],
            precision,
        })
        .collect()
    }
}

/// Uses packed weights where they are kept.
pub(super) fn forward<B: Slices>(
    inputs: &[FloatTensor<B>],
    params: &LinearParams,
) -> FloatTensor<B> {
    let (x, parameters) = (&inputs[0], &inputs[1..]);
    let sizes = sizes_of::<B>(x, &parameters[0], parameters.len() / 2);
    let elements = Parameters::of::<B>(parameters);
    let kept = elements.kept::<B>(parameters, &params.packed, |_, weight| sizes.panels(weight));
    let maps = elements.maps(params.precision, &kept);
    let y = linear::forward(&B::elements(x), &maps, sizes, params.epilogue);
    B::tensor(y, Shape::new([sizes.rows, sizes.width()]))
}

/// The output, and what the backward pass needs. Packed weights are not used.
pub(super) fn forward_saving<B: Slices>(
    inputs: &[FloatTensor<B>],
    params: &LinearParams,
    keeps_input: bool,
) -> (FloatTensor<B>, SavedActivations<FloatTensor<B>>) {
    let (x, parameters) = (&inputs[0], &inputs[1..]);
    let sizes = sizes_of::<B>(x, &parameters[0], parameters.len() / 2);
    let elements = Parameters::of::<B>(parameters);
    let maps = elements.maps(params.precision, &[]);
    let rows = B::elements(x);
    let shape = || Shape::new([sizes.rows, sizes.width()]);
    let kept_input = || keeps_input.then(|| x.clone());
    match (params.precision, params.epilogue) {
        (Precision::F32, Epilogue::Bias) => {
            let y = linear::forward(&rows, &maps, sizes, params.epilogue);
            let saved = SavedActivations::F32 {
                x: kept_input(),
                z: None,
            };
            (B::tensor(y, shape()), saved)
        }
        (Precision::F32, Epilogue::BiasGelu) => {
            let [y, z] = linear::gelu_forward(&rows, maps[0], sizes);
            let saved = SavedActivations::F32 {
                x: kept_input(),
                z: Some(Arc::new(z)),
            };
            (B::tensor(y, shape()), saved)
        }
        (Precision::Bf16, epilogue) => {
            let (y, kept) = linear_bf16::forward_saving(&rows, &maps, sizes, epilogue, keeps_input);
            let saved = SavedActivations::Bf16(Arc::new(kept));
            (B::tensor(y, shape()), saved)
        }
    }
}

pub(super) fn backward<B: Slices>(
    saved: &SavedLinear<FloatTensor<B>>,
    grad: FloatTensor<B>,
    wanted: &[bool],
) -> Vec<Option<FloatTensor<B>>> {
    let sizes = sizes_of::<B>(&grad, &saved.weights[0], saved.weights.len());
    let weights: Vec<Cow<'_, [f32]>> = saved.weights.iter().map(B::elements).collect();
    let weights: Vec<&[f32]> = weights.iter().map(Cow::as_ref).collect();
    let of_maps = wanted_of_maps(wanted);
    let wanted = linear::Wanted {
        x: wanted[0],
        maps: &of_maps,
    };
    let gradients = match &saved.activations {
        SavedActivations::F32 { x, z } => {
            let (x, z) = (
                x.as_ref().map(B::elements),
                z.as_ref().map(|z| z.as_slice()),
            );
            let grad = B::elements(&grad);
            linear::backward(x.as_deref(), &weights, z, &grad, sizes, wanted)
        }
        SavedActivations::Bf16(kept) => {
            let rounded = RoundedGradient::of_product(&B::elements(&grad), sizes.width(), kept);
            drop(grad);
            linear_bf16::backward(kept, &weights, &rounded, sizes, wanted)
        }
    };
    tensors::<B>(gradients, &saved.weights)
}

/// Whether each map's weight and bias want a gradient, of what x and they want.
pub(super) fn wanted_of_maps(wanted: &[bool]) -> Vec<[bool; 2]> {
    let maps = wanted[1..].chunks_exact(2);
    maps.map(|map| [map[0], map[1]]).collect()
}

/// The gradients of x and of the weights and biases as tensors.
pub(super) fn tensors<B: Slices>(
    gradients: linear::LinearGradients,
    weights: &[FloatTensor<B>],
) -> Vec<Option<FloatTensor<B>>> {
    let of_x = gradients.x.map(|x| {
        let [k, _] = weights[0].shape().dims();
        let rows = x.len() / k;
        B::tensor(x, Shape::new([rows, k]))
    });
    let mut all = vec![of_x];
    for ([weight, bias], of) in gradients.maps.into_iter().zip(weights) {
        all.push(weight.map(|weight| B::tensor(weight, of.shape())));
        all.push(bias.map(|bias| {
            let length = Shape::new([bias.len()]);
            B::tensor(bias, length)
        }));
    }
    all
}
