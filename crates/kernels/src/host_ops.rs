#![cfg_attr(
    feature = "ndarray",
    expect(
        deprecated,
        reason = "ndarray is a backend of this project until Burn drops it"
    )
)]
#![cfg_attr(
    not(any(feature = "flex", feature = "ndarray")),
    allow(
        unused_variables,
        reason = "without a backend there is nothing to dispatch to"
    )
)]

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend, backend_extension};

use crate::attention::SavedAttention;
use crate::cross_entropy::{self, SavedCrossEntropy};
use crate::embeddings::{self, SavedEmbeddings};
use crate::feed_forward::{self, FeedForwardParams};
use crate::layer_norm::SavedNorm;
use crate::linear::{self, LinearParams, SavedLinear};
use crate::low_rank::{self, LowRankParams, SavedLowRank};
use crate::params::{AttentionParams, DropoutMask, EmbeddingParams, NormParams};
use crate::relative::{PositionKind, Positions, Relative};
use crate::{attention, dropout, gated, layer_norm, rotary};

/// Fused operations on the primitives of the CPU backends. The functions on
/// [`Tensor`](burn::Tensor)s call them where [`has_kernels`](crate::has_kernels) says yes.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Autodiff
)]
pub(crate) trait HostOps: Backend {
    /// Dropout, whose gradient is the same operation.
    fn counted_dropout(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self>;

    /// `LayerNorm(residual + dropout(x))` of rows `[T, H]`; γ and β are `[H]`.
    fn dropout_add_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        params: NormParams,
    ) -> FloatTensor<Self>;

    /// Queries, keys and values `[T, 3 · H]` with queries and keys of each head turned by angles `[T, D / 2]`.
    fn rotary(
        joined: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// GELU of the first half of each row times the second, `[T, 2 · I]` → `[T, I]`.
    fn gated_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Self-attention: the context `[T, H]` of joined queries, keys and values `[T, 3 · H]` under an additive
    /// mask `[T]` of the keys.
    fn attention(
        joined: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        params: AttentionParams,
    ) -> FloatTensor<Self>;

    /// [`attention`](Self::attention) with a bias `[N, 2 · L]` for the distance of each key from its query.
    fn biased_attention(
        joined: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        params: AttentionParams,
    ) -> FloatTensor<Self>;

    /// [`attention`](Self::attention) with one kind of positions `[2 · L, H]`.
    fn attention_to_positions(
        joined: FloatTensor<Self>,
        positions: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        params: AttentionParams,
        kind: PositionKind,
    ) -> FloatTensor<Self>;

    /// [`attention`](Self::attention) with both kinds of positions `[2 · L, H]`.
    fn disentangled_attention(
        joined: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        queries: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        params: AttentionParams,
    ) -> FloatTensor<Self>;

    /// Attention with separate queries: the context `[Q, H]` of queries `[Q, H]` on joined keys and values
    /// `[T, 2 · H]` under an additive mask `[T]` of the keys.
    fn cross_attention(
        queries: FloatTensor<Self>,
        keys_values: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        params: AttentionParams,
    ) -> FloatTensor<Self>;

    /// `x W + b` through the epilogue: `[T, K]`, `[K, N]`, `[N]` → `[T, N]`.
    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        params: LinearParams,
    ) -> FloatTensor<Self>;

    /// `[x W₁ + b₁ | x W₂ + b₂]`, `[T, 2 · N]`.
    fn linear_kv(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        params: LinearParams,
    ) -> FloatTensor<Self>;

    /// `[x W₁ + b₁ | x W₂ + b₂ | x W₃ + b₃]`, `[T, 3 · N]`.
    #[allow(
        clippy::too_many_arguments,
        reason = "the macro dispatches tensors one by one, and copies this attribute to places where the lint does not fire"
    )]
    fn linear_qkv(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        weight_3: FloatTensor<Self>,
        bias_3: FloatTensor<Self>,
        params: LinearParams,
    ) -> FloatTensor<Self>;

    /// `gelu(x W₁ + b₁) W₂ + b₂`: `[T, K]`, `[K, I]`, `[I]`, `[I, N]`, `[N]` → `[T, N]`.
    fn feed_forward(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        params: FeedForwardParams,
    ) -> FloatTensor<Self>;

    /// The outputs `y` `[T, W]` unchanged, of which some columns are `x` times a weight that a low-rank adapter is merged
    /// into. Gradients reach A `[K, R]` and B `[R, N]`, beside `y`.
    fn learning_low_rank(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        down: FloatTensor<Self>,
        up: FloatTensor<Self>,
        params: LowRankParams,
    ) -> FloatTensor<Self> {
        let _ = (x, down, up, params);
        y
    }

    /// The same of an adapter with a magnitude `[N]`; factor and bias are `[N]`.
    #[allow(
        clippy::too_many_arguments,
        reason = "the macro dispatches tensors one by one, and copies this attribute to places where the lint does not fire"
    )]
    fn learning_magnitude_and_low_rank(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        down: FloatTensor<Self>,
        up: FloatTensor<Self>,
        magnitude: FloatTensor<Self>,
        factor: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        params: LowRankParams,
    ) -> FloatTensor<Self> {
        let _ = (x, down, up, magnitude, factor, bias, params);
        y
    }

    /// `dropout(LayerNorm(word + position + token type))`, `[T, H]`, of tables `[V, H]`, `[P, H]`, `[K, H]`, γ and β `[H]`,
    /// ids `[T]` each.
    #[allow(
        clippy::too_many_arguments,
        reason = "the macro dispatches tensors one by one, and copies this attribute to places where the lint does not fire"
    )]
    fn embed(
        words: FloatTensor<Self>,
        positions: FloatTensor<Self>,
        token_types: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        input_ids: IntTensor<Self>,
        position_ids: IntTensor<Self>,
        token_type_ids: IntTensor<Self>,
        params: EmbeddingParams,
    ) -> FloatTensor<Self>;

    /// Mean cross-entropy `[1]` of logits `[T, C]` over the labels `[T]` that are not
    /// [`IGNORE_INDEX`](crate::IGNORE_INDEX).
    fn cross_entropy(logits: FloatTensor<Self>, labels: IntTensor<Self>) -> FloatTensor<Self>;
}

/// The kernels by which [`HostOps`] are differentiated on a backend.
pub(crate) trait HostKernels: HostOps {
    /// [`dropout_add_norm`](HostOps::dropout_add_norm) and state for its backward pass.
    fn dropout_add_norm_saving(
        inputs: [FloatTensor<Self>; 4],
        params: NormParams,
    ) -> (FloatTensor<Self>, SavedNorm<FloatTensor<Self>>);

    /// The gradients of x, residual, γ and β, from the saved state, γ and the gradient of the output.
    fn dropout_add_norm_backward(
        saved: SavedNorm<FloatTensor<Self>>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        params: NormParams,
    ) -> [FloatTensor<Self>; 4];

    /// The gradient of the input of [`gated_gelu`](HostOps::gated_gelu).
    fn gated_gelu_backward(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self>;

    /// [`attention`](HostOps::attention) of one input, with what distances add, or
    /// [`cross_attention`](HostOps::cross_attention) of two, and state for the backward pass.
    fn attention_saving(
        inputs: Vec<FloatTensor<Self>>,
        relative: Relative<FloatTensor<Self>>,
        mask: FloatTensor<Self>,
        params: AttentionParams,
    ) -> (FloatTensor<Self>, SavedAttention<FloatTensor<Self>>);

    /// The gradients of the inputs, and of the tensors of what distances add.
    fn attention_backward(
        saved: SavedAttention<FloatTensor<Self>>,
        grad: FloatTensor<Self>,
    ) -> Vec<FloatTensor<Self>>;

    /// [`linear`](HostOps::linear) of x and any number of weights and biases, side by side.
    fn linear_of(inputs: Vec<FloatTensor<Self>>, params: &LinearParams) -> FloatTensor<Self>;

    /// [`linear_of`](Self::linear_of) and state for its backward pass, with the input or without. Packed weights are not used.
    fn linear_saving(
        inputs: Vec<FloatTensor<Self>>,
        params: &LinearParams,
        keeps_input: bool,
    ) -> (FloatTensor<Self>, SavedLinear<FloatTensor<Self>>);

    /// The gradients of x and of each weight and bias, of those that are wanted.
    fn linear_backward(
        saved: SavedLinear<FloatTensor<Self>>,
        grad: FloatTensor<Self>,
        wanted: &[bool],
    ) -> Vec<Option<FloatTensor<Self>>>;

    /// [`feed_forward`](HostOps::feed_forward) of x and the weight and bias of each map.
    fn feed_forward_of(
        inputs: [FloatTensor<Self>; 5],
        params: &FeedForwardParams,
    ) -> FloatTensor<Self>;

    /// [`feed_forward_of`](Self::feed_forward_of) and state for its backward pass, with the input or without. Packed weights are
    /// not used.
    fn feed_forward_saving(
        inputs: [FloatTensor<Self>; 5],
        params: &FeedForwardParams,
        keeps_input: bool,
    ) -> (FloatTensor<Self>, SavedLinear<FloatTensor<Self>>);

    /// The gradients of x and of each weight and bias, of those that are wanted.
    fn feed_forward_backward(
        saved: SavedLinear<FloatTensor<Self>>,
        grad: FloatTensor<Self>,
        wanted: &[bool],
    ) -> Vec<Option<FloatTensor<Self>>>;

    /// The gradients of A, B and, if there is one, the magnitude of a low-rank adapter, from the gradient `[T, W]` of the
    /// outputs side by side.
    fn low_rank_gradients(
        saved: SavedLowRank<FloatTensor<Self>>,
        grad: FloatTensor<Self>,
    ) -> Vec<FloatTensor<Self>>;

    /// [`embed`](HostOps::embed) of the three tables, γ and β, and the ids of words, positions and token types, and state for
    /// its backward pass.
    fn embed_saving(
        weights: [FloatTensor<Self>; 5],
        ids: [IntTensor<Self>; 3],
        params: EmbeddingParams,
    ) -> (FloatTensor<Self>, SavedEmbeddings<FloatTensor<Self>>);

    /// The gradients of the three tables, γ and β, of those that are wanted.
    fn embed_backward(
        saved: SavedEmbeddings<FloatTensor<Self>>,
        grad: FloatTensor<Self>,
        wanted: [bool; 5],
    ) -> [Option<FloatTensor<Self>>; 5];

    /// [`cross_entropy`](HostOps::cross_entropy) and state for its backward pass.
    fn cross_entropy_saving(
        logits: FloatTensor<Self>,
        labels: IntTensor<Self>,
    ) -> (FloatTensor<Self>, SavedCrossEntropy<FloatTensor<Self>>);

    /// The gradient of the logits.
    fn cross_entropy_backward(
        saved: SavedCrossEntropy<FloatTensor<Self>>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl<B: HostKernels, C: CheckpointStrategy> HostOps for Autodiff<B, C> {
    fn counted_dropout(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        dropout::tracked::<B, C>(x, mask)
    }

    fn dropout_add_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        params: NormParams,
    ) -> FloatTensor<Self> {
        layer_norm::tracked::<B, C>([x, residual, gamma, beta], params)
    }

    fn rotary(
        joined: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        rotary::tracked::<B, C>(joined, cos, sin)
    }

    fn gated_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        gated::tracked::<B, C>(x)
    }

    fn attention(
        joined: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        params: AttentionParams,
    ) -> FloatTensor<Self> {
        attention::tracked::<B, C, 1>(vec![joined], Relative::Nothing, mask, params)
    }

    fn biased_attention(
        joined: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        params: AttentionParams,
    ) -> FloatTensor<Self> {
        attention::tracked::<B, C, 2>(vec![joined], Relative::Bias(bias), mask, params)
    }

    fn attention_to_positions(
        joined: FloatTensor<Self>,
        positions: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        params: AttentionParams,
        kind: PositionKind,
    ) -> FloatTensor<Self> {
        let relative = Relative::Positions(kind.alone(positions));
        attention::tracked::<B, C, 2>(vec![joined], relative, mask, params)
    }

    fn disentangled_attention(
        joined: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        queries: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        params: AttentionParams,
    ) -> FloatTensor<Self> {
        let relative = Relative::Positions(Positions::both(keys, queries));
        attention::tracked::<B, C, 3>(vec![joined], relative, mask, params)
    }

    fn cross_attention(
        queries: FloatTensor<Self>,
        keys_values: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        params: AttentionParams,
    ) -> FloatTensor<Self> {
        let inputs = vec![queries, keys_values];
        attention::tracked::<B, C, 2>(inputs, Relative::Nothing, mask, params)
    }

    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        params: LinearParams,
    ) -> FloatTensor<Self> {
        linear::tracked::<B, C, 3>([x, weight, bias], params)
    }

    fn linear_kv(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        params: LinearParams,
    ) -> FloatTensor<Self> {
        linear::tracked::<B, C, 5>([x, weight_1, bias_1, weight_2, bias_2], params)
    }

    fn linear_qkv(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        weight_3: FloatTensor<Self>,
        bias_3: FloatTensor<Self>,
        params: LinearParams,
    ) -> FloatTensor<Self> {
        let inputs = [x, weight_1, bias_1, weight_2, bias_2, weight_3, bias_3];
        linear::tracked::<B, C, 7>(inputs, params)
    }

    fn feed_forward(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        params: FeedForwardParams,
    ) -> FloatTensor<Self> {
        feed_forward::tracked::<B, C>([x, weight_1, bias_1, weight_2, bias_2], params)
    }

    fn learning_low_rank(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        down: FloatTensor<Self>,
        up: FloatTensor<Self>,
        params: LowRankParams,
    ) -> FloatTensor<Self> {
        low_rank::tracked::<B, C>([y, x, down, up], params)
    }

    fn learning_magnitude_and_low_rank(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        down: FloatTensor<Self>,
        up: FloatTensor<Self>,
        magnitude: FloatTensor<Self>,
        factor: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        params: LowRankParams,
    ) -> FloatTensor<Self> {
        let inputs = [y, x, down, up, magnitude, factor, bias];
        low_rank::tracked_with_magnitude::<B, C>(inputs, params)
    }

    fn embed(
        words: FloatTensor<Self>,
        positions: FloatTensor<Self>,
        token_types: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        input_ids: IntTensor<Self>,
        position_ids: IntTensor<Self>,
        token_type_ids: IntTensor<Self>,
        params: EmbeddingParams,
    ) -> FloatTensor<Self> {
        let weights = [words, positions, token_types, gamma, beta];
        let ids = [input_ids, position_ids, token_type_ids];
        embeddings::tracked::<B, C>(weights, ids, params)
    }

    fn cross_entropy(logits: FloatTensor<Self>, labels: IntTensor<Self>) -> FloatTensor<Self> {
        cross_entropy::tracked::<B, C>(logits, labels)
    }
}
