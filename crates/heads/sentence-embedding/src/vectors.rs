// B sentences, D numbers of a vector

use burn::tensor::Tensor;

/// The smallest length that a vector is divided by; `eps` of `torch.nn.functional.normalize`.
const SMALLEST_LENGTH: f64 = 1e-12;

/// Vectors of Euclidean length 1 in the same directions. A zero vector stays zero.
///
/// # Shapes
///
/// `[B, D]` → `[B, D]`.
pub fn normalize(vectors: Tensor<2>) -> Tensor<2> {
    let lengths = vectors.clone().square().sum_dim(1).sqrt();
    vectors / lengths.clamp_min(SMALLEST_LENGTH)
}

/// The first `dimension` numbers of each vector, or all where there are no more.
///
/// # Shapes
///
/// `[B, D]` → `[B, min(D, dimension)]`.
pub fn truncate(vectors: Tensor<2>, dimension: usize) -> Tensor<2> {
    let [_, width] = vectors.dims();
    vectors.narrow(1, 0, width.min(dimension))
}
