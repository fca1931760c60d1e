use std::borrow::Cow;
use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::Slices;
use crate::cpu::gemm::pack_rhs::RhsPanels;
use crate::cpu::{linear, linear_bf16};
use crate::linear::{LinearParams, SavedActivations, SavedLinear};
use crate::packed::Kept;
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
struct Parameters<'a>(Vec<Cow<'a, [f32]>>);

impl<'a> Parameters<'a> {
    fn of<B: Slices>(parameters: &'a [FloatTensor<B>]) -> Self {
        Self(parameters.iter().map(B::elements).collect())
    }

    /// The maps; `panels` gives those of one that is kept packed.
    fn maps<'b>(
        &'b self,
        precision: Precision,
        panels: impl Fn(usize) -> Option<&'b RhsPanels>,
    ) -> Vec<linear::Map<'b>> {
        let maps = self.0.chunks_exact(2).enumerate();
        maps.map(|(map, elements)| linear::Map {
            weight: &elements[0],
            panels: panels(map),
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
    let (x, parameters) = inputs.split_first().expect("x comes first");
    let sizes = sizes_of::<B>(x, &parameters[0], parameters.len() / 2);
    let elements = Parameters::of::<B>(parameters);
    let kept: Vec<Option<Arc<Kept>>> = params
        .packed
        .iter()
        .zip(parameters.iter().zip(&elements.0).step_by(2))
        .map(|(packed, (tensor, weight))| match (packed, weight) {
            (Some(packed), Cow::Borrowed(weight)) => {
                Some(packed.of(weight, tensor, || sizes.panels(weight)))
            }
            _ => None,
        })
        .collect();
    let maps = elements.maps(params.precision, |map| {
        kept.get(map)?.as_ref().map(|kept| &kept.panels)
    });
    let y = linear::forward(&B::elements(x), &maps, sizes, params.epilogue);
    B::tensor(y, Shape::new([sizes.rows, sizes.width()]))
}

/// The output, and what the backward pass needs. Packed weights are not used.
pub(super) fn forward_saving<B: Slices>(
    inputs: &[FloatTensor<B>],
    params: &LinearParams,
    keeps_input: bool,
) -> (FloatTensor<B>, SavedActivations<FloatTensor<B>>) {
    let (x, parameters) = inputs.split_first().expect("x comes first");
    let sizes = sizes_of::<B>(x, &parameters[0], parameters.len() / 2);
    let elements = Parameters::of::<B>(parameters);
    let maps = elements.maps(params.precision, |_| None);
    let rows = B::elements(x);
    let shape = || Shape::new([sizes.rows, sizes.width()]);
    let kept_input = || keeps_input.then(|| x.clone());
    match (params.precision, params.epilogue) {
        (Precision::F32, Epilogue::Bias) => {
            let y = linear::forward(&rows, &maps, sizes, params.epilogue);
            let saved = SavedActivations::F32 {
                x: kept_input(),
                slope: None,
            };
            (B::tensor(y, shape()), saved)
        }
        (Precision::F32, Epilogue::BiasGelu) => {
            let [y, slope] = linear::gelu_forward(&rows, maps[0], sizes);
            let saved = SavedActivations::F32 {
                x: kept_input(),
                slope: Some(B::tensor(slope, shape())),
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
    grad: &FloatTensor<B>,
    wanted: &[bool],
) -> Vec<Option<FloatTensor<B>>> {
    let sizes = sizes_of::<B>(grad, &saved.weights[0], saved.weights.len());
    let weights: Vec<Cow<'_, [f32]>> = saved.weights.iter().map(B::elements).collect();
    let weights: Vec<&[f32]> = weights.iter().map(Cow::as_ref).collect();
    let of_maps: Vec<[bool; 2]> = wanted[1..]
        .chunks_exact(2)
        .map(|map| [map[0], map[1]])
        .collect();
    let wanted = linear::Wanted {
        x: wanted[0],
        maps: &of_maps,
    };
    let grad = B::elements(grad);
    let gradients = match &saved.activations {
        SavedActivations::F32 { x, slope } => {
            let (x, slope) = (x.as_ref().map(B::elements), slope.as_ref().map(B::elements));
            linear::backward(
                x.as_deref(),
                &weights,
                slope.as_deref(),
                &grad,
                sizes,
                wanted,
            )
        }
        SavedActivations::Bf16(kept) => linear_bf16::backward(kept, &weights, &grad, sizes, wanted),
    };
    let tensor = |gradient: Option<Vec<f32>>, shape: &dyn Fn() -> Shape| {
        gradient.map(|gradient| B::tensor(gradient, shape()))
    };
    let mut all = vec![tensor(gradients.x, &|| Shape::new([sizes.rows, sizes.k]))];
    for [weight, bias] in gradients.maps {
        all.push(tensor(weight, &|| saved.weights[0].shape()));
        all.push(tensor(bias, &|| Shape::new([sizes.columns])));
    }
    all
}
