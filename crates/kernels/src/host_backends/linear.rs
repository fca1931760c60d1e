use std::borrow::Cow;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;

use super::Slices;
use crate::cpu::linear;
use crate::host_ops::Epilogue;
use crate::linear::SavedLinear;

/// T, K, N and P of x and so many weights.
fn sizes_of<B: Slices>(x: &FloatTensor<B>, weight: &FloatTensor<B>, maps: usize) -> linear::Sizes {
    let [rows, inner] = x.shape().dims();
    let [_, columns] = weight.shape().dims();
    linear::Sizes {
        rows,
        inner,
        columns,
        maps,
    }
}

/// Gives the output, and the slope of the activation where it is `wanted` and there is one.
pub(super) fn forward<B: Slices>(
    inputs: &[FloatTensor<B>],
    epilogue: Epilogue,
    slope_wanted: bool,
) -> (FloatTensor<B>, Option<FloatTensor<B>>) {
    let (x, parameters) = inputs.split_first().expect("x comes first");
    let sizes = sizes_of::<B>(x, &parameters[0], parameters.len() / 2);
    let parameters: Vec<Cow<'_, [f32]>> = parameters.iter().map(B::elements).collect();
    let maps = parameters.chunks_exact(2);
    let maps: Vec<linear::Map<'_>> = maps
        .map(|map| linear::Map {
            weight: &map[0],
            bias: &map[1],
        })
        .collect();
    let x = B::elements(x);
    let shape = || Shape::new([sizes.rows, sizes.width()]);
    if epilogue == Epilogue::BiasGelu && slope_wanted {
        let outputs = linear::gelu_forward(&x, maps[0], sizes);
        let [y, slope] = outputs.map(|output| B::tensor(output, shape()));
        return (y, Some(slope));
    }
    let y = linear::forward(&x, &maps, sizes, epilogue);
    (B::tensor(y, shape()), None)
}

pub(super) fn backward<B: Slices>(
    saved: &SavedLinear<FloatTensor<B>>,
    grad: &FloatTensor<B>,
    wanted: &[bool],
) -> Vec<Option<FloatTensor<B>>> {
    let sizes = sizes_of::<B>(&saved.x, &saved.weights[0], saved.weights.len());
    let weights: Vec<Cow<'_, [f32]>> = saved.weights.iter().map(B::elements).collect();
    let weights: Vec<&[f32]> = weights.iter().map(Cow::as_ref).collect();
    let of_maps: Vec<[bool; 2]> = wanted[1..]
        .chunks_exact(2)
        .map(|map| [map[0], map[1]])
        .collect();
    let slope = saved.slope.as_ref().map(B::elements);
    let gradients = linear::backward(
        &B::elements(&saved.x),
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
    let mut all = vec![tensor(gradients.x, &|| saved.x.shape())];
    for [weight, bias] in gradients.maps {
        all.push(tensor(weight, &|| saved.weights[0].shape()));
        all.push(tensor(bias, &|| Shape::new([sizes.columns])));
    }
    all
}
