//! The fused operations on flex and ndarray: the same slices, two ways to get at them.

#![cfg_attr(
    feature = "ndarray",
    expect(
        deprecated,
        reason = "ndarray is a backend of this project until Burn drops it"
    )
)]

use std::borrow::Cow;

use burn::backend::Backend;
use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{Shape, TensorData, read_sync};

use crate::cpu::layer_norm::Normalized;
use crate::cpu::{attention, elementwise, embeddings, layer_norm, linear};
use crate::embeddings::SavedEmbeddings;
use crate::host_ops::{
    AttentionNumbers, DropoutMask, EmbeddingNumbers, Epilogue, HostKernels, HostOps, NormNumbers,
};
use crate::linear::SavedLinear;

/// Tensors as slices in single precision.
pub(crate) trait Slices: Backend {
    /// The elements in row-major order, copied only if they do not lie like that.
    fn elements(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]>;

    /// A tensor that owns these elements.
    fn tensor(elements: Vec<f32>, shape: Shape) -> FloatTensor<Self>;
}

#[cfg(feature = "flex")]
impl Slices for burn::backend::Flex {
    fn elements(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]> {
        match tensor.as_slice::<f32>() {
            Some(slice) => Cow::Borrowed(slice),
            None => Cow::Owned(tensor.to_contiguous().storage().to_vec()),
        }
    }

    fn tensor(elements: Vec<f32>, shape: Shape) -> FloatTensor<Self> {
        burn::backend::flex::FlexTensor::from_data(TensorData::new(elements, shape))
    }
}

#[cfg(feature = "ndarray")]
impl Slices for burn::backend::NdArray {
    fn elements(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]> {
        use burn::backend::ndarray::NdArrayTensor;

        match tensor {
            NdArrayTensor::F32(storage) => {
                let view = storage.view();
                match view.to_slice() {
                    Some(slice) => Cow::Borrowed(slice),
                    None => Cow::Owned(view.iter().copied().collect()),
                }
            }
            _ => unreachable!(
                "the kernels take tensors of single precision, as their callers make sure"
            ),
        }
    }

    fn tensor(elements: Vec<f32>, shape: Shape) -> FloatTensor<Self> {
        burn::backend::ndarray::NdArrayTensor::from_data(TensorData::new(elements, shape))
    }
}

pub(crate) fn gelu<B: Slices>(x: &FloatTensor<B>) -> FloatTensor<B> {
    B::tensor(elementwise::gelu(&B::elements(x)), x.shape())
}

pub(crate) fn gelu_backward<B: Slices>(
    x: &FloatTensor<B>,
    grad: &FloatTensor<B>,
) -> FloatTensor<B> {
    let gradient = elementwise::gelu_backward(&B::elements(x), &B::elements(grad));
    B::tensor(gradient, x.shape())
}

/// The elements as numbers of rows; a negative one becomes one that no table has.
fn row_numbers<B: Slices>(tensor: IntTensor<B>) -> Vec<usize> {
    let data = read_sync(B::int_into_data(tensor)).expect("the tensor lies in memory");
    let rows = data.iter::<i64>();
    rows.map(|row| usize::try_from(row).unwrap_or(usize::MAX))
        .collect()
}

fn norm<B: Slices>(
    [x, residual, gamma, beta]: &[FloatTensor<B>; 4],
    numbers: NormNumbers,
) -> FloatTensor<B> {
    let inputs = layer_norm::Inputs {
        x: &B::elements(x),
        residual: Some(&B::elements(residual)),
        gamma: &B::elements(gamma),
        beta: &B::elements(beta),
    };
    B::tensor(layer_norm::forward(inputs, numbers), x.shape())
}

fn norm_saving<B: Slices>(
    [x, residual, gamma, beta]: &[FloatTensor<B>; 4],
    numbers: NormNumbers,
) -> [FloatTensor<B>; 3] {
    let inputs = layer_norm::Inputs {
        x: &B::elements(x),
        residual: Some(&B::elements(residual)),
        gamma: &B::elements(gamma),
        beta: &B::elements(beta),
    };
    let (y, saved) = layer_norm::forward_saving(inputs, numbers);
    let [normalized, inverse_deviation] = saved_tensors::<B>(saved, x.shape());
    [B::tensor(y, x.shape()), normalized, inverse_deviation]
}

fn saved_tensors<B: Slices>(saved: Normalized, shape: Shape) -> [FloatTensor<B>; 2] {
    let rows = Shape::new([saved.inverse_deviation.len()]);
    [
        B::tensor(saved.normalized, shape),
        B::tensor(saved.inverse_deviation, rows),
    ]
}

fn norm_backward<B: Slices>(
    [normalized, inverse_deviation]: &[FloatTensor<B>; 2],
    gamma: &FloatTensor<B>,
    grad: &FloatTensor<B>,
    numbers: NormNumbers,
) -> [FloatTensor<B>; 4] {
    let gradients = layer_norm::backward(
        &B::elements(normalized),
        &B::elements(inverse_deviation),
        &B::elements(gamma),
        &B::elements(grad),
        numbers,
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

fn attend<B: Slices>(
    [joined, mask]: &[FloatTensor<B>; 2],
    numbers: &AttentionNumbers,
) -> [FloatTensor<B>; 2] {
    let inputs = attention::Inputs {
        joined: &B::elements(joined),
        mask: &B::elements(mask),
    };
    let (context, statistics) = attention::forward(inputs, numbers);
    let [rows, width] = joined.shape().dims();
    let length = Shape::new([statistics.len()]);
    [
        B::tensor(context, Shape::new([rows, width / attention::JOINED])),
        B::tensor(statistics, length),
    ]
}

fn attend_backward<B: Slices>(
    [joined, mask]: &[FloatTensor<B>; 2],
    saved: &FloatTensor<B>,
    grad: &FloatTensor<B>,
    numbers: &AttentionNumbers,
) -> FloatTensor<B> {
    let inputs = attention::Inputs {
        joined: &B::elements(joined),
        mask: &B::elements(mask),
    };
    let gradient = attention::backward(inputs, &B::elements(saved), &B::elements(grad), numbers);
    B::tensor(gradient, joined.shape())
}

/// T, K, N and P of x and so many weights.
fn linear_sizes<B: Slices>(
    x: &FloatTensor<B>,
    weight: &FloatTensor<B>,
    maps: usize,
) -> linear::Sizes {
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
fn linear_of<B: Slices>(
    inputs: &[FloatTensor<B>],
    epilogue: Epilogue,
    slope_wanted: bool,
) -> (FloatTensor<B>, Option<FloatTensor<B>>) {
    let (x, parameters) = inputs.split_first().expect("x comes first");
    let sizes = linear_sizes::<B>(x, &parameters[0], parameters.len() / 2);
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

fn linear_backward<B: Slices>(
    saved: &SavedLinear<FloatTensor<B>>,
    grad: &FloatTensor<B>,
    wanted: &[bool],
) -> Vec<Option<FloatTensor<B>>> {
    let sizes = linear_sizes::<B>(&saved.x, &saved.weights[0], saved.weights.len());
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

/// Which row of the word, position and token type table each token takes.
fn rows_of_tokens<B: Slices>(
    [input_ids, token_type_ids]: [IntTensor<B>; 2],
    numbers: &EmbeddingNumbers,
) -> [Vec<usize>; 3] {
    let positions = numbers.lengths.iter().flat_map(|&length| 0..length);
    [
        row_numbers::<B>(input_ids),
        positions.collect(),
        row_numbers::<B>(token_type_ids),
    ]
}

/// The sums of the tokens' rows, `[T, H]`.
fn embedding_sums<B: Slices>(
    [words, positions, token_types, ..]: &[FloatTensor<B>; 5],
    rows: &[Vec<usize>; 3],
) -> Vec<f32> {
    let [_, width] = words.shape().dims();
    let tables = [words, positions, token_types].map(B::elements);
    let lookup = |index: usize| embeddings::Lookup {
        table: &tables[index],
        rows: &rows[index],
    };
    embeddings::sum([lookup(0), lookup(1), lookup(2)], width)
}

fn embedding_norm(numbers: &EmbeddingNumbers) -> NormNumbers {
    NormNumbers {
        epsilon: numbers.epsilon,
        dropout: DropoutMask::NONE,
    }
}

fn embed<B: Slices>(
    weights: &[FloatTensor<B>; 5],
    ids: [IntTensor<B>; 2],
    numbers: &EmbeddingNumbers,
) -> FloatTensor<B> {
    let rows = rows_of_tokens::<B>(ids, numbers);
    let [words, _, _, gamma, beta] = weights;
    let [_, width] = words.shape().dims();
    let inputs = layer_norm::Inputs {
        x: &embedding_sums::<B>(weights, &rows),
        residual: None,
        gamma: &B::elements(gamma),
        beta: &B::elements(beta),
    };
    let y = layer_norm::forward(inputs, embedding_norm(numbers));
    let y = elementwise::dropout(y, numbers.dropout);
    B::tensor(y, Shape::new([rows[0].len(), width]))
}

fn embed_saving<B: Slices>(
    weights: &[FloatTensor<B>; 5],
    ids: [IntTensor<B>; 2],
    numbers: EmbeddingNumbers,
) -> (FloatTensor<B>, SavedEmbeddings<FloatTensor<B>>) {
    let rows = rows_of_tokens::<B>(ids, &numbers);
    let [words, positions, token_types, gamma, beta] = weights;
    let [_, width] = words.shape().dims();
    let shape = Shape::new([rows[0].len(), width]);
    let inputs = layer_norm::Inputs {
        x: &embedding_sums::<B>(weights, &rows),
        residual: None,
        gamma: &B::elements(gamma),
        beta: &B::elements(beta),
    };
    let (y, saved) = layer_norm::forward_saving(inputs, embedding_norm(&numbers));
    let y = elementwise::dropout(y, numbers.dropout);
    let [normalized, inverse_deviation] = saved_tensors::<B>(saved, shape.clone());
    let rows_of = |table: &FloatTensor<B>| table.shape().dims::<2>()[0];
    let saved = SavedEmbeddings {
        rows,
        table_rows: [words, positions, token_types].map(rows_of),
        normalized,
        inverse_deviation,
        gamma: gamma.clone(),
        numbers,
    };
    (B::tensor(y, shape), saved)
}

fn embed_backward<B: Slices>(
    saved: &SavedEmbeddings<FloatTensor<B>>,
    grad: &FloatTensor<B>,
    wanted: [bool; 5],
) -> [Option<FloatTensor<B>>; 5] {
    let [_, width] = grad.shape().dims();
    let numbers = &saved.numbers;
    let gradients = layer_norm::backward(
        &B::elements(&saved.normalized),
        &B::elements(&saved.inverse_deviation),
        &B::elements(&saved.gamma),
        &elementwise::dropout(B::elements(grad), numbers.dropout),
        embedding_norm(numbers),
    );
    let table = |index: usize, without: Option<usize>| {
        wanted[index].then(|| {
            let rows = saved.table_rows[index];
            let tokens = &saved.rows[index];
            let gradient = embeddings::gather(rows, tokens, &gradients.residual, width, without);
            B::tensor(gradient, Shape::new([rows, width]))
        })
    };
    let tables = [
        table(0, Some(numbers.padding_idx)),
        table(1, None),
        table(2, None),
    ];
    let [words, positions, token_types] = tables;
    let vector = |wanted: bool, values| wanted.then(|| B::tensor(values, Shape::new([width])));
    [
        words,
        positions,
        token_types,
        vector(wanted[3], gradients.gamma),
        vector(wanted[4], gradients.beta),
    ]
}

macro_rules! on_slices {
    ($backend:ty) => {
        impl HostOps for $backend {
            fn counted_dropout(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
                let dropped = elementwise::dropout(Self::elements(&x), mask);
                Self::tensor(dropped, x.shape())
            }

            fn dropout_add_norm(
                x: FloatTensor<Self>,
                residual: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                numbers: NormNumbers,
            ) -> FloatTensor<Self> {
                norm::<Self>(&[x, residual, gamma, beta], numbers)
            }

            fn attend(
                joined: FloatTensor<Self>,
                mask: FloatTensor<Self>,
                numbers: AttentionNumbers,
            ) -> FloatTensor<Self> {
                let [context, _] = attend::<Self>(&[joined, mask], &numbers);
                context
            }

            fn linear(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                epilogue: Epilogue,
            ) -> FloatTensor<Self> {
                Self::linear_of(vec![x, weight, bias], epilogue)
            }

            fn linear_joined(
                x: FloatTensor<Self>,
                weight_1: FloatTensor<Self>,
                bias_1: FloatTensor<Self>,
                weight_2: FloatTensor<Self>,
                bias_2: FloatTensor<Self>,
                weight_3: FloatTensor<Self>,
                bias_3: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                let inputs = vec![x, weight_1, bias_1, weight_2, bias_2, weight_3, bias_3];
                Self::linear_of(inputs, Epilogue::Bias)
            }

            fn embed(
                words: FloatTensor<Self>,
                positions: FloatTensor<Self>,
                token_types: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                input_ids: IntTensor<Self>,
                token_type_ids: IntTensor<Self>,
                numbers: EmbeddingNumbers,
            ) -> FloatTensor<Self> {
                let weights = [words, positions, token_types, gamma, beta];
                embed::<Self>(&weights, [input_ids, token_type_ids], &numbers)
            }
        }

        impl HostKernels for $backend {
            fn dropout_add_norm_saving(
                inputs: [FloatTensor<Self>; 4],
                numbers: NormNumbers,
            ) -> [FloatTensor<Self>; 3] {
                norm_saving::<Self>(&inputs, numbers)
            }

            fn dropout_add_norm_backward(
                saved: [FloatTensor<Self>; 2],
                gamma: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                numbers: NormNumbers,
            ) -> [FloatTensor<Self>; 4] {
                norm_backward::<Self>(&saved, &gamma, &grad, numbers)
            }

            fn attend_saving(
                inputs: [FloatTensor<Self>; 2],
                numbers: AttentionNumbers,
            ) -> [FloatTensor<Self>; 2] {
                attend::<Self>(&inputs, &numbers)
            }

            fn attend_backward(
                inputs: [FloatTensor<Self>; 2],
                saved: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                numbers: AttentionNumbers,
            ) -> FloatTensor<Self> {
                attend_backward::<Self>(&inputs, &saved, &grad, &numbers)
            }

            fn linear_of(inputs: Vec<FloatTensor<Self>>, epilogue: Epilogue) -> FloatTensor<Self> {
                linear_of::<Self>(&inputs, epilogue, false).0
            }

            fn linear_saving(
                inputs: Vec<FloatTensor<Self>>,
                epilogue: Epilogue,
            ) -> (FloatTensor<Self>, SavedLinear<FloatTensor<Self>>) {
                let (y, slope) = linear_of::<Self>(&inputs, epilogue, true);
                let saved = SavedLinear {
                    x: inputs[0].clone(),
                    weights: inputs[1..].iter().step_by(2).cloned().collect(),
                    slope,
                };
                (y, saved)
            }

            fn linear_backward(
                saved: SavedLinear<FloatTensor<Self>>,
                grad: FloatTensor<Self>,
                wanted: &[bool],
            ) -> Vec<Option<FloatTensor<Self>>> {
                linear_backward::<Self>(&saved, &grad, wanted)
            }

            fn embed_saving(
                weights: [FloatTensor<Self>; 5],
                ids: [IntTensor<Self>; 2],
                numbers: EmbeddingNumbers,
            ) -> (FloatTensor<Self>, SavedEmbeddings<FloatTensor<Self>>) {
                embed_saving::<Self>(&weights, ids, numbers)
            }

            fn embed_backward(
                saved: SavedEmbeddings<FloatTensor<Self>>,
                grad: FloatTensor<Self>,
                wanted: [bool; 5],
            ) -> [Option<FloatTensor<Self>>; 5] {
                embed_backward::<Self>(&saved, &grad, wanted)
            }
        }
    };
}

#[cfg(feature = "flex")]
on_slices!(burn::backend::Flex);
#[cfg(feature = "ndarray")]
on_slices!(burn::backend::NdArray);
