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

use std::sync::Arc;

use burn::backend::DispatchDevice;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend, backend_extension};
use burn::tensor::Device;

use crate::composed::is_composed;
use crate::cross_entropy::{self, SavedCrossEntropy};
use crate::embeddings::{self, SavedEmbeddings};
use crate::linear::{self, SavedLinear};
use crate::{PackedWeight, attention, dropout, layer_norm};

/// A dropout: which elements become zero is decided by the seed and their indices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutMask {
    /// The share that becomes zero, in [0, 1).
    pub probability: f64,
    /// Equal seeds give equal masks.
    pub seed: u64,
}

impl DropoutMask {
    /// Nothing is dropped.
    pub const NONE: Self = Self {
        probability: 0.0,
        seed: 0,
    };
}

/// The numbers of a LayerNorm after dropout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormNumbers {
    /// ε inside the square root.
    pub epsilon: f64,
    /// On what the residual is added to.
    pub dropout: DropoutMask,
}

/// The numbers of an attention.
#[derive(Debug, Clone, PartialEq)]
pub struct AttentionNumbers {
    /// How many keys each sequence has, in their order.
    pub lengths: Arc<[usize]>,
    /// How many queries each sequence has; the same where every token asks.
    pub query_lengths: Arc<[usize]>,
    /// Number N of heads.
    pub heads: usize,
    /// On the probabilities.
    pub dropout: DropoutMask,
}

/// The numbers of BERT's embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingNumbers {
    /// The tokens of each sequence, in their order.
    pub lengths: Arc<[usize]>,
    /// The row of the word table that receives no gradient.
    pub padding_idx: usize,
    /// ε inside the square root of the LayerNorm.
    pub epsilon: f64,
    /// On the LayerNorm's output.
    pub dropout: DropoutMask,
}

/// What a linear map does with its product before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epilogue {
    /// Adds the bias.
    Bias,
    /// Adds the bias and applies [`gelu`](crate::gelu()).
    BiasGelu,
}

/// What linear maps side by side are computed with.
#[derive(Debug, Clone)]
pub struct LinearNumbers {
    /// What comes after the product; more than one map go with [`Epilogue::Bias`] only.
    pub epilogue: Epilogue,
    /// The panels of each weight, where they are kept. Gradients are those of the weight itself.
    pub packed: Vec<Option<Arc<PackedWeight>>>,
}

impl LinearNumbers {
    /// Without panels.
    pub fn of(epilogue: Epilogue) -> Self {
        Self {
            epilogue,
            packed: Vec::new(),
        }
    }
}

/// Whether tensors of this device lie in this process's memory, where this crate has kernels for single-precision
/// tensors, and they are not off ([`without_kernels`](crate::without_kernels)).
pub fn is_fused(device: &Device) -> bool {
    if is_composed() {
        return false;
    }
    match device.clone().inner().as_dispatch() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => true,
        _ => false,
    }
}

/// Fused operations for the backends whose tensors lie in this process's memory, on their primitives. Call the functions
/// on [`Tensor`](burn::Tensor)s instead; where [`is_fused`] says no, their composed bodies do the work.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Autodiff
)]
pub trait HostOps: Backend {
    /// Dropout, whose gradient is the same operation.
    fn counted_dropout(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self>;

    /// `LayerNorm(residual + dropout(x))` of rows `[T, H]`; γ and β are `[H]`.
    fn dropout_add_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        numbers: NormNumbers,
    ) -> FloatTensor<Self>;

    /// The context `[T, H]` of joined queries, keys and values `[T, 3 · H]` under an additive mask `[T]` of the keys.
    fn attend(
        joined: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        numbers: AttentionNumbers,
    ) -> FloatTensor<Self>;

    /// The context `[Q, H]` of queries `[Q, H]` on joined keys and values `[T, 2 · H]` under an additive mask `[T]` of the
    /// keys.
    fn attend_of(
        queries: FloatTensor<Self>,
        keys_values: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        numbers: AttentionNumbers,
    ) -> FloatTensor<Self>;

    /// `x W + b`, and what follows: `[T, K]`, `[K, N]`, `[N]` → `[T, N]`.
    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        numbers: LinearNumbers,
    ) -> FloatTensor<Self>;

    /// `[x W₁ + b₁ | x W₂ + b₂]`, `[T, 2 · N]`.
    fn linear_pair(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        numbers: LinearNumbers,
    ) -> FloatTensor<Self>;

    /// `[x W₁ + b₁ | x W₂ + b₂ | x W₃ + b₃]`, `[T, 3 · N]`.
    #[allow(
        clippy::too_many_arguments,
        reason = "the macro dispatches tensors one by one, and copies this to where there is nothing to expect"
    )]
    fn linear_joined(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        weight_3: FloatTensor<Self>,
        bias_3: FloatTensor<Self>,
        numbers: LinearNumbers,
    ) -> FloatTensor<Self>;

    /// `dropout(LayerNorm(word + position + token type))`, `[T, H]`, of tables `[V, H]`, `[P, H]`, `[K, H]`, γ and β `[H]`,
    /// ids `[T]`.
    #[allow(
        clippy::too_many_arguments,
        reason = "the macro dispatches tensors one by one, and copies this to where there is nothing to expect"
    )]
    fn embed(
        words: FloatTensor<Self>,
        positions: FloatTensor<Self>,
        token_types: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        input_ids: IntTensor<Self>,
        token_type_ids: IntTensor<Self>,
        numbers: EmbeddingNumbers,
    ) -> FloatTensor<Self>;

    /// Mean cross-entropy `[1]` of logits `[T, C]` over the labels `[T]` that are not
    /// [`IGNORE_INDEX`](crate::IGNORE_INDEX).
    fn cross_entropy(logits: FloatTensor<Self>, labels: IntTensor<Self>) -> FloatTensor<Self>;
}

/// What a backend brings so that [`HostOps`] can be differentiated on it.
pub trait HostKernels: HostOps {
    /// [`dropout_add_norm`](HostOps::dropout_add_norm) with what its backward pass needs: the normalised rows `[T, H]`
    /// and one over the deviations `[T]`.
    fn dropout_add_norm_saving(
        inputs: [FloatTensor<Self>; 4],
        numbers: NormNumbers,
    ) -> [FloatTensor<Self>; 3];

    /// The gradients of x, residual, γ and β, given what was saved, γ and the gradient of the output.
    fn dropout_add_norm_backward(
        saved: [FloatTensor<Self>; 2],
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        numbers: NormNumbers,
    ) -> [FloatTensor<Self>; 4];

    /// [`attend`](HostOps::attend) of one input, or [`attend_of`](HostOps::attend_of) of two, with what its backward pass
    /// needs beside its inputs, `[Q · N · 2]`.
    fn attend_saving(
        inputs: Vec<FloatTensor<Self>>,
        mask: FloatTensor<Self>,
        numbers: AttentionNumbers,
    ) -> [FloatTensor<Self>; 2];

    /// The gradients of the inputs, given all of them, what was saved and the gradient of the output.
    fn attend_backward(
        inputs: Vec<FloatTensor<Self>>,
        mask: FloatTensor<Self>,
        saved: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        numbers: AttentionNumbers,
    ) -> Vec<FloatTensor<Self>>;

    /// [`linear`](HostOps::linear) of x and any number of weights and biases, side by side.
    fn linear_of(inputs: Vec<FloatTensor<Self>>, numbers: &LinearNumbers) -> FloatTensor<Self>;

    /// [`linear_of`](Self::linear_of) with what its backward pass needs.
    fn linear_saving(
        inputs: Vec<FloatTensor<Self>>,
        epilogue: Epilogue,
    ) -> (FloatTensor<Self>, SavedLinear<FloatTensor<Self>>);

    /// The gradients of x and of each weight and bias, of those that are wanted.
    fn linear_backward(
        saved: SavedLinear<FloatTensor<Self>>,
        grad: FloatTensor<Self>,
        wanted: &[bool],
    ) -> Vec<Option<FloatTensor<Self>>>;

    /// [`embed`](HostOps::embed) of the three tables, γ and β, and the ids of words and token types, with what its backward
    /// pass needs.
    fn embed_saving(
        weights: [FloatTensor<Self>; 5],
        ids: [IntTensor<Self>; 2],
        numbers: EmbeddingNumbers,
    ) -> (FloatTensor<Self>, SavedEmbeddings<FloatTensor<Self>>);

    /// The gradients of the three tables, γ and β, of those that are wanted.
    fn embed_backward(
        saved: SavedEmbeddings<FloatTensor<Self>>,
        grad: FloatTensor<Self>,
        wanted: [bool; 5],
    ) -> [Option<FloatTensor<Self>>; 5];

    /// [`cross_entropy`](HostOps::cross_entropy) with what its backward pass needs.
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
        numbers: NormNumbers,
    ) -> FloatTensor<Self> {
        layer_norm::tracked::<B, C>([x, residual, gamma, beta], numbers)
    }

    fn attend(
        joined: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        numbers: AttentionNumbers,
    ) -> FloatTensor<Self> {
        attention::tracked::<B, C, 1>([joined], mask, numbers)
    }

    fn attend_of(
        queries: FloatTensor<Self>,
        keys_values: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        numbers: AttentionNumbers,
    ) -> FloatTensor<Self> {
        attention::tracked::<B, C, 2>([queries, keys_values], mask, numbers)
    }

    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        numbers: LinearNumbers,
    ) -> FloatTensor<Self> {
        linear::tracked::<B, C, 3>([x, weight, bias], numbers)
    }

    fn linear_pair(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        numbers: LinearNumbers,
    ) -> FloatTensor<Self> {
        linear::tracked::<B, C, 5>([x, weight_1, bias_1, weight_2, bias_2], numbers)
    }

    fn linear_joined(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        weight_3: FloatTensor<Self>,
        bias_3: FloatTensor<Self>,
        numbers: LinearNumbers,
    ) -> FloatTensor<Self> {
        let inputs = [x, weight_1, bias_1, weight_2, bias_2, weight_3, bias_3];
        linear::tracked::<B, C, 7>(inputs, numbers)
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
        embeddings::tracked::<B, C>(weights, [input_ids, token_type_ids], numbers)
    }

    fn cross_entropy(logits: FloatTensor<Self>, labels: IntTensor<Self>) -> FloatTensor<Self> {
        cross_entropy::tracked::<B, C>(logits, labels)
    }
}
