// T rows, C classes

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};

use crate::{IGNORE_INDEX, masked_cross_entropy};

/// The least 1 − p in the focal factor: below it the power of a γ under 1 has a slope without a bound, and the loss of
/// such a row is 0 to single precision.
const LEAST_MISS: f32 = f32::EPSILON;

/// How a cross-entropy weighs classes and rows. The default is the plain mean.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CrossEntropyOptions {
    /// A factor above 0 for each class, `[C]`; the loss is the mean weighted by them. `weight` of
    /// `torch.nn.CrossEntropyLoss`.
    pub class_weights: Option<Vec<f32>>,
    /// Share of each row's target that is spread over all classes, in [0, 1): `label_smoothing` of
    /// `torch.nn.CrossEntropyLoss`.
    pub label_smoothing: f64,
    /// The γ of the focal loss, 0 or above: a row's loss is multiplied by (1 − p)^γ, p being the probability of its class
    /// (Lin et al. 2017, <https://arxiv.org/abs/1708.02002>, equation 4; their α is `class_weights`). The weighted mean
    /// does not count the factor.
    pub focal_gamma: f64,
}

impl CrossEntropyOptions {
    /// Whether they change nothing.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// Cross-entropy over the rows whose label is not [`IGNORE_INDEX`], as the options weigh it; 0 when every row is ignored.
/// With class weights and label smoothing it is the loss of `torch.nn.CrossEntropyLoss`.
///
/// Plain options take the kernel of [`masked_cross_entropy`]. Others are composed operations on every device: logits of
/// classes are small beside anything that a layer computes.
///
/// # Shapes
///
/// `logits` `[T, C]`, `labels` `[T]`, each in 0..C or `IGNORE_INDEX` → `[1]`.
///
/// # Panics
///
/// There are class weights, but not C.
pub fn weighted_cross_entropy(
    logits: Tensor<2>,
    labels: Tensor<1, Int>,
    options: &CrossEntropyOptions,
) -> Tensor<1> {
    if options.is_plain() {
        return masked_cross_entropy(logits, labels);
    }
    let [_, classes] = logits.dims();
    let ignored_t = labels.clone().equal_scalar(IGNORE_INDEX);
    let labels_t1 = labels.mask_fill(ignored_t.clone(), 0).unsqueeze_dim::<2>(1);
    let kept_t1 = ignored_t
        .bool_not()
        .float()
        .cast(logits.dtype())
        .unsqueeze_dim::<2>(1);
    let weights_1c = weights(options, &logits);
    let weights_t1 = weights_1c
        .clone()
        .expand(logits.dims())
        .gather(1, labels_t1.clone())
        * kept_t1.clone();

    let log_p_tc = log_softmax(logits, 1);
    let nll_t1 = -log_p_tc.clone().gather(1, labels_t1);
    let mut losses_t1 = nll_t1.clone() * weights_t1.clone();
    if options.label_smoothing > 0.0 {
        let spread_t1 = -(log_p_tc * weights_1c).sum_dim(1) * kept_t1;
        let smoothing = options.label_smoothing;
        losses_t1 = losses_t1 * (1.0 - smoothing) + spread_t1 * (smoothing / classes as f64);
    }
    if options.focal_gamma > 0.0 {
        losses_t1 = losses_t1 * focal_factor((-nll_t1).exp(), options.focal_gamma);
    }
    // Without a single label both sums are 0.
    losses_t1.sum() / weights_t1.sum().clamp_min(f32::MIN_POSITIVE)
}

/// (1 − p)^γ.
///
/// # Shapes
///
/// Probabilities `[T, C]` → `[T, C]`.
pub fn focal_factor(probabilities: Tensor<2>, gamma: f64) -> Tensor<2> {
    let miss = (-probabilities + 1.0).clamp_min(LEAST_MISS);
    miss.powf_scalar(gamma)
}

/// The weights of the classes, `[1, C]`; 1 for each where there are none.
fn weights(options: &CrossEntropyOptions, logits: &Tensor<2>) -> Tensor<2> {
    let [_, classes] = logits.dims();
    let weights = match &options.class_weights {
        Some(weights) => weights.clone(),
        None => vec![1.0; classes],
    };
    let data = TensorData::new(weights, [1, classes]);
    Tensor::<2>::from_data(data, &logits.device()).cast(logits.dtype())
}
