// M independent matrices, S positions, N heads

use burn::tensor::Tensor;

/// What belongs to each distance, laid out as `[S, S]` without a gather: each row moves one column to the left of the row
/// before it, as in Transformer-XL (Dai et al., <https://arxiv.org/abs/1901.02860>, appendix B).
///
/// Row i of the input has 2 S columns, one for each distance from −(S − 1) to S − 1, and one more that is not read. The output
/// at (i, j) is row i's column of the distance j − i.
///
/// # Shapes
///
/// `[M, S, 2 S]` → `[M, S, S]`.
pub(crate) fn skew(by_distance: Tensor<3>) -> Tensor<3> {
    let [count, length, width] = by_distance.dims();
    by_distance
        .reshape([count, length * width])
        .narrow(1, length - 1, length * (width - 1))
        .reshape([count, length, width - 1])
        .narrow(2, 0, length)
}
