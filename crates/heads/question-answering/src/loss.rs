// B batch, S sequence

use bert_kernels::{IGNORE_INDEX, masked_cross_entropy};
use burn::tensor::{Int, Tensor};

use crate::SpanLogits;

/// The mean of the start's and the end's cross-entropy, each the mean over the rows that have a position.
///
/// A row without an answer has position 0, that of `[CLS]`. As in transformers, positions are clamped to 0..=S, and
/// position S takes no part in the loss; where no row takes part, the loss is 0, with zero gradients, where transformers'
/// is NaN.
///
/// # Shapes
///
/// Logits of `[B, S]`, positions `[B]` → `[1]`.
pub fn loss(
    logits: SpanLogits,
    start_positions: Tensor<1, Int>,
    end_positions: Tensor<1, Int>,
) -> Tensor<1> {
    let start = one_side(logits.start_logits, start_positions);
    let end = one_side(logits.end_logits, end_positions);
    (start + end) / 2.0
}

fn one_side(logits_bs: Tensor<2>, positions_b: Tensor<1, Int>) -> Tensor<1> {
    let [_, sequence] = logits_bs.dims();
    let clamped = positions_b.clamp(0, sequence as i64);
    let ignored = clamped.clone().equal_scalar(sequence as i64);
    masked_cross_entropy(logits_bs, clamped.mask_fill(ignored, IGNORE_INDEX))
}
