//! What the tests of the operations share.

use bert_kernels::{DropoutMask, dropout};
pub(crate) use bert_testing::operation::{integers, row, waves, with_gradients};
pub(crate) use bert_testing::{assert_same, assert_same_at_scales};
use burn::tensor::{Device, Tensor};

pub(crate) const MASKS: [DropoutMask; 2] = [
    DropoutMask::NONE,
    DropoutMask {
        probability: 0.3,
        seed: 0x1234_5678_9abc,
    },
];

/// x `[T, K]`, and the weights `[K, N]` and biases `[1, N]` of three maps: x, W₁, b₁, W₂, b₂, W₃, b₃.
pub(crate) fn three_maps([rows, k, columns]: [usize; 3], on: &Device) -> [Tensor<2>; 7] {
    let weight = |phase| waves([k, columns], phase, on) * 0.2;
    let bias = |phase| waves([1, columns], phase, on);
    [
        waves([rows, k], 0.0, on),
        weight(1.0),
        bias(2.0),
        weight(3.0),
        bias(4.0),
        weight(5.0),
        bias(6.0),
    ]
}

/// The nearest bfloat16, ties to even.
pub(crate) fn rounded(x: f32) -> f32 {
    let bits = x.to_bits();
    let even = bits >> 16 & 1;
    f32::from_bits((bits + 0x7fff + even) & 0xffff_0000)
}

/// What the mask multiplies a tensor of this shape by.
pub(crate) fn kept<const D: usize>(
    shape: [usize; D],
    mask: DropoutMask,
    device: &Device,
) -> Tensor<D> {
    dropout(Tensor::ones(shape, device), mask)
}
