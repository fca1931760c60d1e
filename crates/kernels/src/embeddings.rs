// T tokens, V rows of the word table, P of the position table, K of the token type table, H columns

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::module::embedding;
use burn::tensor::{Int, Tensor};

use crate::dispatch::{runs_gpu_kernel, runs_kernel};
use crate::dropout::{dropout, dropout_composed};
use crate::embedding::embedding as padded_embedding;
use crate::host_ops::{HostKernels, HostOps};
use crate::layer_norm::{layer_norm, layer_norm_composed};
use crate::params::EmbeddingParams;

/// The tables and the LayerNorm of a transformer's embeddings.
#[derive(Debug, Clone)]
pub struct EmbeddingWeights {
    /// `[V, H]`.
    pub words: Tensor<2>,
    /// `[P, H]`, for models with a table of positions.
    pub positions: Option<Tensor<2>>,
    /// `[K, H]`, for models with token types (segments).
    pub token_types: Option<Tensor<2>>,
    /// `[H]`.
    pub gamma: Tensor<1>,
    /// `[H]`.
    pub beta: Option<Tensor<1>>,
}

/// The row of each table that each token takes, `[T]` each.
#[derive(Debug, Clone)]
pub struct EmbeddingIds {
    /// Rows of the word table.
    pub input_ids: Tensor<1, Int>,
    /// Rows of the token type table, all 0 when `None`. Not read without such a table.
    pub token_type_ids: Option<Tensor<1, Int>>,
    /// Rows of the position table. Not read without such a table.
    pub position_ids: Tensor<1, Int>,
}

impl EmbeddingIds {
    fn token_types(&self) -> Tensor<1, Int> {
        let zeros = || self.input_ids.zeros_like();
        self.token_type_ids.clone().unwrap_or_else(zeros)
    }
}

/// `dropout(LayerNorm(word + position + token type))` of tokens. The kernel adds the gradients of each table's row in the order
/// of the tokens. The rows `padding_idx` of the word table and `position_padding_idx` of the position table receive none.
///
/// # Shapes
///
/// Ids `[T]` → `[T, H]`.
///
/// # Panics
///
/// An id is not in its table, on devices with kernels.
pub fn embed(weights: EmbeddingWeights, ids: EmbeddingIds, params: EmbeddingParams) -> Tensor<2> {
    if runs_gpu_kernel(&weights.words) {
        let (gamma, beta) = (weights.gamma.clone(), weights.beta.clone());
        let sum = sum_of_rows(weights, ids, params);
        return dropout(layer_norm(sum, gamma, beta, params.epsilon), params.dropout);
    }
    if !runs_kernel(&weights.words) {
        let drop = |y| dropout_composed(y, params.dropout.probability);
        return embed_composed(weights, ids, params, drop);
    }
    let [_, width] = weights.words.dims();
    // A row of zeros stands for a missing table.
    let first_row = || ids.input_ids.zeros_like();
    let no_table = || Tensor::zeros([1, width], &weights.words.device());
    let type_ids = match weights.token_types {
        Some(_) => ids.token_types(),
        None => first_row(),
    };
    let position_ids = match weights.positions {
        Some(_) => ids.position_ids,
        None => first_row(),
    };
    let token_types = weights.token_types.unwrap_or_else(no_table);
    let positions = weights.positions.unwrap_or_else(no_table);
    let beta = weights.beta.unwrap_or_else(|| weights.gamma.zeros_like());
    Tensor::from_dispatch(<Dispatch as HostOps>::embed(
        weights.words.into_dispatch(),
        positions.into_dispatch(),
        token_types.into_dispatch(),
        weights.gamma.into_dispatch(),
        beta.into_dispatch(),
        ids.input_ids.into_dispatch(),
        position_ids.into_dispatch(),
        type_ids.into_dispatch(),
        params,
    ))
}

/// The composed body of [`embed`]; `dropout` is applied to the LayerNorm's output instead of the one in `params`.
///
/// # Shapes
///
/// Ids `[T]` → `[T, H]`.
pub fn embed_composed(
    weights: EmbeddingWeights,
    ids: EmbeddingIds,
    params: EmbeddingParams,
    dropout: impl FnOnce(Tensor<2>) -> Tensor<2>,
) -> Tensor<2> {
    let (gamma, beta) = (weights.gamma.clone(), weights.beta.clone());
    let sum = sum_of_rows(weights, ids, params);
    dropout(layer_norm_composed(sum, gamma, beta, params.epsilon))
}

/// The rows of all tables, added up.
fn sum_of_rows(weights: EmbeddingWeights, ids: EmbeddingIds, params: EmbeddingParams) -> Tensor<2> {
    let types = weights.token_types.map(|types| (types, ids.token_types()));
    let types = types.map(|(types, ids)| look_up(types, ids, None));
    let positions = weights
        .positions
        .map(|positions| look_up(positions, ids.position_ids, params.position_padding_idx));
    let others = match (types, positions) {
        (Some(types), Some(positions)) => Some(types + positions),
        (types, positions) => types.or(positions),
    };
    let words = look_up(weights.words, ids.input_ids, params.padding_idx);
    match others {
        Some(others) => words + others,
        None => words,
    }
}

/// Rows of a table, of which the row `padding_idx` receives no gradient.
///
/// # Shapes
///
/// `[V, H]`, `[T]` → `[T, H]`.
fn look_up(table: Tensor<2>, ids: Tensor<1, Int>, padding_idx: Option<usize>) -> Tensor<2> {
    let ([tokens], [_, width]) = (ids.dims(), table.dims());
    let ids_1t = ids.reshape([1, tokens]);
    let rows_1th = match padding_idx {
        Some(padding_idx) => padded_embedding(table, ids_1t, padding_idx),
        None => embedding(table, ids_1t),
    };
    rows_1th.reshape([tokens, width])
}

/// State for the backward pass of the embeddings.
#[derive(Debug, Clone)]
pub(crate) struct SavedEmbeddings<F> {
    /// The row of the word, position and token type table that each token took, `[T]` each.
    pub(crate) rows: [Vec<usize>; 3],
    /// The number of rows of these tables.
    pub(crate) table_rows: [usize; 3],
    /// The normalised rows `[T, H]`.
    pub(crate) normalized: F,
    /// 1 / deviation, `[T]`.
    pub(crate) inverse_deviation: F,
    /// γ `[H]`.
    pub(crate) gamma: F,
    /// Dropout, ε and the padding token.
    pub(crate) params: EmbeddingParams,
}

#[derive(Debug)]
struct Embeddings;

impl<B: HostKernels> Backward<B, 5> for Embeddings {
    type State = SavedEmbeddings<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 5>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let gradients = B::embed_backward(ops.state, grad, wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

pub(crate) fn tracked<B: HostKernels, C: CheckpointStrategy>(
    weights: [FloatTensor<Autodiff<B, C>>; 5],
    ids: [IntTensor<Autodiff<B, C>>; 3],
    params: EmbeddingParams,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = weights.each_ref().map(|weight| weight.node());
    let prepared = Embeddings.prepare::<C>(nodes).compute_bound();
    let weights = weights.map(|weight| weight.into_primitive());
    match prepared.stateful() {
        OpsKind::Tracked(prep) => {
            let (y, saved) = B::embed_saving(weights, ids, params);
            prep.finish(saved, y)
        }
        OpsKind::UnTracked(prep) => {
            let [words, positions, token_types, gamma, beta] = weights;
            let [input_ids, position_ids, token_type_ids] = ids;
            prep.finish(B::embed(
                words,
                positions,
                token_types,
                gamma,
                beta,
                input_ids,
                position_ids,
                token_type_ids,
                params,
            ))
        }
    }
}
