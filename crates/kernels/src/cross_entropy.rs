use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

/// The label of a row that takes no part in a loss, in PyTorch and transformers (`torch.nn.CrossEntropyLoss`).
pub const IGNORE_INDEX: i64 = -100;

/// Mean cross-entropy over the rows whose label is not [`IGNORE_INDEX`]. When every row is ignored the loss is 0, with
/// zero gradients, where PyTorch's is NaN.
///
/// # Shapes
///
/// `logits` `[T, C]`, `labels` `[T]`, each in 0..C or `IGNORE_INDEX` → `[1]`.
pub fn masked_cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let ignored = labels.clone().equal_scalar(IGNORE_INDEX);
    let classes = labels.mask_fill(ignored.clone(), 0);
    let kept = ignored.bool_not().float();
    let log_likelihood = log_softmax(logits, 1)
        .gather(1, classes.unsqueeze_dim::<2>(1))
        .squeeze_dim::<1>(1);
    let count = kept.clone().sum().clamp_min(1.0);
    -(log_likelihood * kept).sum() / count
}
