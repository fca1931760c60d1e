use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;

use super::Slices;
use crate::cpu::cross_entropy;
use crate::cross_entropy::{IGNORE_INDEX, SavedCrossEntropy};

pub(super) fn forward<B: Slices>(
    logits: FloatTensor<B>,
    labels: IntTensor<B>,
) -> (FloatTensor<B>, SavedCrossEntropy<FloatTensor<B>>) {
    let class = |label| usize::try_from(label).unwrap_or(usize::MAX);
    let classes = B::map_integers(&labels, |label| {
        (label != IGNORE_INDEX).then(|| class(label))
    });
    let loss = cross_entropy::forward(&B::elements(&logits), &classes);
    let saved = SavedCrossEntropy {
        logits,
        classes,
        statistics: loss.statistics,
    };
    (B::tensor(vec![loss.mean], Shape::new([1])), saved)
}

pub(super) fn backward<B: Slices>(
    saved: &SavedCrossEntropy<FloatTensor<B>>,
    grad: &FloatTensor<B>,
) -> FloatTensor<B> {
    let gradient = cross_entropy::backward(
        &B::elements(&saved.logits),
        &saved.classes,
        &saved.statistics,
        B::elements(grad)[0],
    );
    B::tensor(gradient, saved.logits.shape())
}
