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

use burn::backend::DispatchDevice;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, backend_extension};
use burn::tensor::Device;

use crate::{attention, dropout, layer_norm};

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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionNumbers {
    /// Number B of sequences.
    pub batch: usize,
    /// Number N of heads.
    pub heads: usize,
    /// On the probabilities.
    pub dropout: DropoutMask,
}

/// Whether tensors of this device lie in this process's memory, where this crate has kernels for single-precision
/// tensors.
pub fn is_fused(device: &Device) -> bool {
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

    /// The context `[B·S, H]` of queries, keys and values `[B·S, H]` under an additive mask `[B, S]`.
    fn attend(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        numbers: AttentionNumbers,
    ) -> FloatTensor<Self>;
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

    /// [`attend`](HostOps::attend) with what its backward pass needs beside its inputs, `[B·N·S·2]`.
    fn attend_saving(
        inputs: [FloatTensor<Self>; 4],
        numbers: AttentionNumbers,
    ) -> [FloatTensor<Self>; 2];

    /// The gradients of queries, keys and values, given all inputs, what was saved and the gradient of the output.
    fn attend_backward(
        inputs: [FloatTensor<Self>; 4],
        saved: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        numbers: AttentionNumbers,
    ) -> [FloatTensor<Self>; 3];
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
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        mask: FloatTensor<Self>,
        numbers: AttentionNumbers,
    ) -> FloatTensor<Self> {
        attention::tracked::<B, C>([query, key, value], mask, numbers)
    }
}
