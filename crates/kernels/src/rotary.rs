// T tokens, N heads, D head width, H = N · D

use burn::tensor::Tensor;

use crate::linear::Projections;

/// The angle by which each token turns each pair of a head's elements, as cosine and sine, `[T, D / 2]` each.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// `[T, D / 2]`.
    pub cos: Tensor<2>,
    /// `[T, D / 2]`.
    pub sin: Tensor<2>,
}

/// Rotary position embedding (Su et al., <https://arxiv.org/abs/2104.09864>) of queries and keys: element `i` of a head turns with
/// element `i + D / 2`. Values stay as they are. The angles receive no gradient.
///
/// # Shapes
///
/// Queries, keys and values `[T, H]` each → the same.
pub fn rotary(qkv: Projections<3>, rotation: &Rotation, heads: usize) -> Projections<3> {
    let [queries, keys, values] = qkv.into_separate();
    let turned = |x| rotated(x, rotation, heads);
    Projections::from_separate([turned(queries), turned(keys), values])
}

fn rotated(x: Tensor<2>, rotation: &Rotation, heads: usize) -> Tensor<2> {
    let [tokens, width] = x.dims();
    let half = width / heads / 2;
    let x_tnd = x.reshape([tokens, heads, 2 * half]);
    let first = x_tnd.clone().narrow(2, 0, half);
    let second = x_tnd.narrow(2, half, half);
    let of_tokens = |angle: &Tensor<2>| angle.clone().reshape([tokens, 1, half]);
    let (cos, sin) = (of_tokens(&rotation.cos), of_tokens(&rotation.sin));
    let turned = [
        first.clone() * cos.clone() - second.clone() * sin.clone(),
        second * cos + first * sin,
    ];
    Tensor::cat(turned.to_vec(), 2).reshape([tokens, width])
}
