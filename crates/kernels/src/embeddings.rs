// T tokens, V rows of the word table, P of the position table, K of the token type table, H columns

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Dispatch};
use burn::tensor::{Int, Tensor};

use crate::host_ops::{EmbeddingNumbers, HostKernels, HostOps};

/// The tables and the LayerNorm of BERT's embeddings.
#[derive(Debug, Clone)]
pub struct EmbeddingWeights {
    /// `[V, H]`.
    pub words: Tensor<2>,
    /// `[P, H]`.
    pub positions: Tensor<2>,
    /// `[K, H]`.
    pub token_types: Tensor<2>,
    /// `[H]`.
    pub gamma: Tensor<1>,
    /// `[H]`.
    pub beta: Tensor<1>,
}

/// `dropout(LayerNorm(word + position + token type))` of the tokens of several sequences, positions counted from 0 within
/// each, on devices that [`is_fused`](crate::is_fused) says yes to. Gradients are put back by all threads; the padding
/// token's row receives none.
///
/// # Shapes
///
/// `input_ids`, `token_type_ids` `[T]` → `[T, H]`. T is the sum of the sequences' lengths.
///
/// # Panics
///
/// An id or a position is not in its table.
pub fn embed(
    weights: EmbeddingWeights,
    input_ids: Tensor<1, Int>,
    token_type_ids: Tensor<1, Int>,
    numbers: EmbeddingNumbers,
) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as HostOps>::embed(
        weights.words.into_dispatch(),
        weights.positions.into_dispatch(),
        weights.token_types.into_dispatch(),
        weights.gamma.into_dispatch(),
        weights.beta.into_dispatch(),
        input_ids.into_dispatch(),
        token_type_ids.into_dispatch(),
        numbers,
    ))
}

/// What the backward pass of the embeddings needs.
#[derive(Debug, Clone)]
pub struct SavedEmbeddings<F> {
    /// Which row of the word, position and token type table each token took, `[T]` each.
    pub rows: [Vec<usize>; 3],
    /// How many rows these tables have.
    pub table_rows: [usize; 3],
    /// The normalised rows `[T, H]`.
    pub normalized: F,
    /// One over the deviations, `[T]`.
    pub inverse_deviation: F,
    /// γ `[H]`.
    pub gamma: F,
    /// Dropout, ε and the padding token.
    pub numbers: EmbeddingNumbers,
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
    ids: [IntTensor<Autodiff<B, C>>; 2],
    numbers: EmbeddingNumbers,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = weights.each_ref().map(|weight| weight.node());
    let prepared = Embeddings.prepare::<C>(nodes).compute_bound();
    let weights = weights.map(|weight| weight.into_primitive());
    match prepared.stateful() {
        OpsKind::Tracked(prep) => {
            let (y, saved) = B::embed_saving(weights, ids, numbers);
            prep.finish(saved, y)
        }
        OpsKind::UnTracked(prep) => {
            let [words, positions, token_types, gamma, beta] = weights;
            let [ids, types] = ids;
            prep.finish(B::embed(
                words,
                positions,
                token_types,
                gamma,
                beta,
                ids,
                types,
                numbers,
            ))
        }
    }
}
