// B batch, C labels

use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Int, Tensor};

/// What a batch should have been classified as.
#[derive(Debug, Clone)]
pub enum Labels {
    /// One class a row, `[B]`, each in 0..C.
    Classes(Tensor<1, Int>),
    /// One for each class that applies and zero elsewhere, `[B, C]`.
    MultiHot(Tensor<2>),
    /// Target values, `[B, C]`; C is 1 for a plain regression.
    Values(Tensor<2>),
}

/// The loss that transformers computes for this kind of labels, averaged over the batch (and over C for
/// [`Labels::MultiHot`] and [`Labels::Values`]).
///
/// # Shapes
///
/// `logits` `[B, C]` → `[1]`.
pub fn loss(logits: Tensor<2>, labels: Labels) -> Tensor<1> {
    match labels {
        Labels::Classes(classes_b) => bert_kernels::masked_cross_entropy(logits, classes_b),
        Labels::MultiHot(targets_bc) => binary_cross_entropy_with_logits(logits, targets_bc),
        Labels::Values(values_bc) => (logits - values_bc).square().mean(),
    }
}

/// `−mean(y · log σ(x) + (1 − y) · log σ(−x))`, finite for logits of any size.
fn binary_cross_entropy_with_logits(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let applies = targets.clone() * log_sigmoid(logits.clone());
    let does_not = (-targets + 1.0) * log_sigmoid(-logits);
    -(applies + does_not).mean()
}
