//! Rotary positions of joined queries, keys and values, a token at a time. T tokens, D head width, H width of each.

use super::buffer::filled;
use super::simd::vectorized;

/// Queries, keys and values `[T, 3 · H]` with queries and keys turned by angles `[T, D / 2]`, which are the same for each head.
pub(crate) fn forward(joined: &[f32], cos: &[f32], sin: &[f32], half: usize) -> Vec<f32> {
    let tokens = (cos.len() / half.max(1)).max(1);
    let row = joined.len() / tokens;
    filled(joined.len(), row, |token, places| {
        let turned = places.write_copy_of_slice(&joined[token * row..(token + 1) * row]);
        let of_token = token * half..(token + 1) * half;
        let (cos, sin) = (&cos[of_token.clone()], &sin[of_token]);
        vectorized(
            #[inline(always)]
            || {
                for head in turned[..row / 3 * 2].chunks_exact_mut(2 * half) {
                    turn(head, cos, sin);
                }
            },
        );
        turned
    })
}

/// Turns the first half of a head's elements with the second.
#[inline(always)]
fn turn(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (first, second) = head.split_at_mut(cos.len());
    let pairs = first.iter_mut().zip(second).zip(cos.iter().zip(sin));
    for ((first, second), (cos, sin)) in pairs {
        let (x, y) = (*first, *second);
        *first = x * cos - y * sin;
        *second = y * cos + x * sin;
    }
}
