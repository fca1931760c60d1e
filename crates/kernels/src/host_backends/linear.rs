use std::borrow::Cow;
use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::Slices;
use crate::cpu::linear;
use crate::linear::{LinearParams, SavedLinear};
use crate::packed::Kept;
use crate::params::Epilogue;

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

/// Uses packed weights where they are kept.
pub(super) fn forward<B: Slices>(
    inputs: &[FloatTensor<B>],
    params: &LinearParams,
) -> FloatTensor<B> {
    let (x, parameters) = inputs.split_first().expect("x comes first");
    let sizes = sizes_of::<B>(x, &parameters[0], parameters.len() / 2);
    let elements: Vec<Cow<'_, [f32]>> = parameters.iter().map(B::elements).collect();
    let kept: Vec<Option<Arc<Kept>>> = params
        .packed
        .iter()
        .zip(parameters.iter().zip(&elements).step_by(2))
        .map(|(packed, (tensor, weight))| match (packed, weight) {
            (Some(packed), Cow::Borrowed(weight)) => {
                Some(packed.of(weight, tensor, || sizes.panels(weight)))
            }
            _ => None,
        })
        .collect();
    let panels = |map: usize| kept.get(map)?.as_ref().map(|kept| &kept.panels);
    let maps = elements.chunks_exact(2).enumerate();
    let maps: Vec<linear::Map<'_>> = maps
        .map(|(map, elements)| linear::Map {
            weight: &elements[0],
            panels: panels(map),
            bias: &elements[1],
        })
        .collect();
    let y = linear::forward(&B::elements(x), &maps, sizes, params.epilogue);
    B::tensor(y, Shape::new([sizes.rows, sizes.width()]))
}

/// The output, and the slope of the activation if there is one. Packed weights are not used.
pub(super) fn forward_saving<B: Slices>(
    inputs: &[FloatTensor<B>],
    epilogue: Epilogue,
) -> (FloatTensor<B>, Option<FloatTensor<B>>) {
    let ([x, weight, bias], Epilogue::BiasGelu) = (inputs, epilogue) else {
        return (
            forward::<B>(inputs, &LinearParams::unpacked(epilogue)),
            None,
        );
    };
    let sizes = sizes_of::<B>(x, weight, 1);
    let map = linear::Map {
        weight: &B::elements(weight),
        panels: None,
        bias: &B::elements(bias),
    };
    let outputs = linear::gelu_forward(&B::elements(x), map, sizes);
    let shape = || Shape::new([sizes.rows, sizes.columns]);
    let [y, slope] = outputs.map(|output| B::tensor(output, shape()));
    (y, Some(slope))
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
    let slope = saved.slope.as_ref().map(B::elements);
    let x = saved.x.as_ref().map(B::elements);
    let gradients = linear::backward(
        x.as_deref(),
        &weights,
        slope.as_deref(),
        &B::elements(grad),
        sizes,
        linear::Wanted {
            x: wanted[0],
            maps: &of_maps,
        },
    );
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
