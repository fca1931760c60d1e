use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;

use super::norm::saved_tensors;
use super::{Slices, table_rows};
use crate::cpu::{elementwise, embeddings, layer_norm};
use crate::embeddings::SavedEmbeddings;
use crate::params::{DropoutMask, EmbeddingParams, NormParams, Precision};

/// The sums of the tokens' rows, `[T, H]`.
fn sums<B: Slices>(
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

fn norm(params: EmbeddingParams) -> NormParams {
    NormParams {
        epsilon: params.epsilon,
        dropout: DropoutMask::NONE,
        precision: Precision::F32,
    }
}

pub(super) fn forward<B: Slices>(
    weights: &[FloatTensor<B>; 5],
    ids: [IntTensor<B>; 3],
    params: EmbeddingParams,
) -> FloatTensor<B> {
    let rows = ids.each_ref().map(table_rows::<B>);
    let [words, _, _, gamma, beta] = weights;
    let [_, width] = words.shape().dims();
    let inputs = layer_norm::Inputs {
        x: &sums::<B>(weights, &rows),
        residual: None,
        gamma: &B::elements(gamma),
        beta: &B::elements(beta),
    };
    let y = layer_norm::forward(inputs, norm(params));
    let y = elementwise::dropout(y, params.dropout);
    B::tensor(y, Shape::new([rows[0].len(), width]))
}

pub(super) fn forward_saving<B: Slices>(
    weights: &[FloatTensor<B>; 5],
    ids: [IntTensor<B>; 3],
    params: EmbeddingParams,
) -> (FloatTensor<B>, SavedEmbeddings<FloatTensor<B>>) {
    let rows = ids.each_ref().map(table_rows::<B>);
    let [words, positions, token_types, gamma, beta] = weights;
    let [_, width] = words.shape().dims();
    let shape = Shape::new([rows[0].len(), width]);
    let inputs = layer_norm::Inputs {
        x: &sums::<B>(weights, &rows),
        residual: None,
        gamma: &B::elements(gamma),
        beta: &B::elements(beta),
    };
    let (y, saved) = layer_norm::forward_saving(inputs, norm(params));
    let y = elementwise::dropout(y, params.dropout);
    let [normalized, inverse_deviation] = saved_tensors::<B>(saved, shape.clone());
    let rows_of = |table: &FloatTensor<B>| table.shape().dims::<2>()[0];
    let saved = SavedEmbeddings {
        rows,
        table_rows: [words, positions, token_types].map(rows_of),
        normalized,
        inverse_deviation,
        gamma: gamma.clone(),
        params,
    };
    (B::tensor(y, shape), saved)
}

pub(super) fn backward<B: Slices>(
    saved: &SavedEmbeddings<FloatTensor<B>>,
    grad: &FloatTensor<B>,
    wanted: [bool; 5],
) -> [Option<FloatTensor<B>>; 5] {
    let [_, width] = grad.shape().dims();
    let params = saved.params;
    let gradients = layer_norm::backward(
        layer_norm::KeptRows::F32(&B::elements(&saved.normalized)),
        &B::elements(&saved.inverse_deviation),
        &B::elements(&saved.gamma),
        &elementwise::dropout(B::elements(grad), params.dropout),
        norm(params),
    );
    let table = |index: usize, without: Option<usize>| {
        wanted[index].then(|| {
            let rows = saved.table_rows[index];
            let tokens = &saved.rows[index];
            let gradient =
                embeddings::scatter_add(rows, tokens, &gradients.residual, width, without);
            B::tensor(gradient, Shape::new([rows, width]))
        })
    };
    let tables = [
        table(0, params.padding_idx),
        table(1, params.position_padding_idx),
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
