// B batch, C labels

use bert_kernels::{CrossEntropyOptions, focal_factor, weighted_cross_entropy};
use burn::tensor::activation::{log_sigmoid, sigmoid};
use burn::tensor::{Int, Tensor, TensorData};

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
    weighted_loss(logits, labels, &CrossEntropyOptions::default())
}

/// The same with options. For [`Labels::MultiHot`] the weights are those of the rows that have a class, `pos_weight` of
/// `torch.nn.BCEWithLogitsLoss`, and the focal loss is that of each class by itself; smoothing is for one class a row
/// alone. [`Labels::Values`] know no options.
///
/// # Shapes
///
/// `logits` `[B, C]` → `[1]`.
///
/// # Panics
///
/// There are class weights, but not C.
pub fn weighted_loss(
    logits: Tensor<2>,
    labels: Labels,
    options: &CrossEntropyOptions,
) -> Tensor<1> {
    match labels {
        Labels::Classes(classes_b) => weighted_cross_entropy(logits, classes_b, options),
        Labels::MultiHot(targets_bc) => {
            binary_cross_entropy_with_logits(logits, targets_bc, options)
        }
        Labels::Values(values_bc) => (logits - values_bc).square().mean(),
    }
}

/// `−mean(w · y · log σ(x) + (1 − y) · log σ(−x))`, finite for logits of any size.
fn binary_cross_entropy_with_logits(
    logits: Tensor<2>,
    targets: Tensor<2>,
    options: &CrossEntropyOptions,
) -> Tensor<1> {
    let mut applies = targets.clone() * log_sigmoid(logits.clone());
    if let Some(weights) = &options.class_weights {
        let data = TensorData::new(weights.clone(), [1, weights.len()]);
        applies = applies * Tensor::<2>::from_data(data, &logits.device()).cast(logits.dtype());
    }
    let does_not = (-targets.clone() + 1.0) * log_sigmoid(-logits.clone());
    let likelihoods = applies + does_not;
    if options.focal_gamma == 0.0 {
        return -likelihoods.mean();
    }
    // The probability of what is true: of the class where it applies, else of its absence.
    let truth = sigmoid(logits * (targets * 2.0 - 1.0));
    -(likelihoods * focal_factor(truth, options.focal_gamma)).mean()
}
