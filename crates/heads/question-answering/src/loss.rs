// B batch, S sequence

use bert_kernels::{IGNORE_INDEX, cross_entropy, masked_cross_entropy};
use burn::tensor::{Int, Tensor};

use crate::SpanLogits;

/// The mean of the start's and the end's cross-entropy, each the mean over the rows that have a position.
///
/// A row without an answer has position 0, that of `[CLS]`. As in transformers, positions are clamped to 0..=S, and
/// position S takes no part in the loss; where no row takes part, the loss is 0, with zero gradients, where transformers'
/// is NaN. Also as in transformers, an answer competes with every position of its row, padding not left out, so the loss
/// depends on how far a row is padded; that of [`window_loss`] does not.
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

/// The same for one window on the host, among its own tokens alone: the mean of the start's and the end's cross-entropy.
/// A side whose position is beyond the tokens counts nothing.
pub fn window_loss(start_logits: &[f32], end_logits: &[f32], (start, end): (usize, usize)) -> f64 {
    (cross_entropy(start_logits, start) + cross_entropy(end_logits, end)) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_of_a_window_is_the_mean_of_both_sides() {
        let even = [7.0; 4];
        let sure = [1000.0, 0.0];
        assert!((window_loss(&even, &sure, (2, 0)) - 4.0_f64.ln() / 2.0).abs() < 1e-12);
        assert_eq!(window_loss(&even, &sure, (4, 1)), 500.0);
    }
}
