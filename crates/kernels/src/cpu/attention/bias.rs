//! A bias for the distance of a key from its query, which is added to the scores of a head: one number for all pairs of tokens
//! that are so far apart.

use super::block::{Block, QUERIES};

/// The bias of every head. The numbers of a head are in the order of `query − key`, so that those of a block's queries, which
/// are lanes, follow each other.
#[derive(Clone)]
pub(crate) struct Bias {
    /// `[N, stride]`.
    numbers: Vec<f32>,
    stride: usize,
    /// The number L of positions whose distances it knows.
    positions: usize,
}

impl Bias {
    /// Of a matrix `[N, 2 · L]` in the order of `key − query`, whose last column is not read.
    pub(crate) fn new(by_distance: &[f32], heads: usize) -> Self {
        let positions = by_distance.len() / (2 * heads);
        let mut bias = Self::zeros(heads, positions);
        let rows = by_distance.chunks_exact(2 * positions);
        for (row, numbers) in rows.zip(bias.numbers.chunks_exact_mut(bias.stride)) {
            let distances = row[..2 * positions - 1].iter().rev();
            for (number, &distance) in numbers.iter_mut().zip(distances) {
                *number = distance;
            }
        }
        bias
    }

    /// No bias, and room for its gradient.
    fn zeros(heads: usize, positions: usize) -> Self {
        // The last block may have lanes without a query.
        let stride = 2 * positions + QUERIES;
        Self {
            numbers: vec![0.0; heads * stride],
            stride,
            positions,
        }
    }

    /// Room for the gradient.
    pub(super) fn gradient(&self) -> Self {
        Self::zeros(self.numbers.len() / self.stride, self.positions)
    }

    /// Where the numbers of a block's queries with a key begin.
    #[inline(always)]
    fn place(&self, head: usize, block: &Block, key: usize) -> usize {
        head * self.stride + block.queries.start + self.positions - 1 - key
    }

    /// Adds the bias to the scores `[L, W]` of a block.
    #[inline(always)]
    pub(super) fn add_to<const W: usize>(
        &self,
        scores: &mut [[f32; W]],
        head: usize,
        block: &Block,
    ) {
        for (scores, key) in scores.iter_mut().zip(block.keys.clone()) {
            let numbers = &self.numbers[self.place(head, block, key)..][..W];
            for (score, number) in scores.iter_mut().zip(numbers) {
                *score += number;
            }
        }
    }

    /// Adds the gradient of a block's scores `[L, W]` to that of the bias.
    #[inline(always)]
    pub(super) fn add_gradient<const W: usize>(
        &mut self,
        gradient: &[[f32; W]],
        head: usize,
        block: &Block,
    ) {
        let queries = block.queries.len();
        for (gradient, key) in gradient.iter().zip(block.keys.clone()) {
            let place = self.place(head, block, key);
            let numbers = &mut self.numbers[place..][..queries];
            for (number, gradient) in numbers.iter_mut().zip(gradient) {
                *number += gradient;
            }
        }
    }

    /// The sum of the sequences' gradients times `factor`, in their order, as the matrix that [`new`](Self::new) takes.
    pub(super) fn sum(gradients: impl Iterator<Item = Self>, like: &Self, factor: f32) -> Vec<f32> {
        let mut sum = like.gradient();
        for gradient in gradients {
            for (sum, number) in sum.numbers.iter_mut().zip(&gradient.numbers) {
                *sum += number;
            }
        }
        let distances = 2 * like.positions - 1;
        let rows = sum.numbers.chunks_exact(sum.stride);
        rows.flat_map(|row| row[..distances].iter().rev().copied().chain([0.0]))
            .map(|number| number * factor)
            .collect()
    }
}
