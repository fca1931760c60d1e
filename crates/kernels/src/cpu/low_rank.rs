//! The gradients of a low-rank adapter whose weight is merged into that of its map. T rows, K columns in, N columns out, R the
//! rank, W the width of the outputs side by side.

use rayon::prelude::*;

use super::gemm::lhs::Lhs;
use super::gemm::operand::Operand;
use super::gemm::schedule::matmul;
use super::reduce::sum_rows;
use super::view::View;

/// Rows of a block of the magnitude's gradient: a constant, so that the sum does not depend on the number of threads.
const SUMMED_ROWS: usize = 128;

/// T, K, R, N, W, and where the adapted map's outputs begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) rows: usize,
    pub(crate) k: usize,
    pub(crate) rank: usize,
    pub(crate) columns: usize,
    pub(crate) width: usize,
    pub(crate) first_column: usize,
}

impl Sizes {
    /// The adapted map's columns of the outputs `[T, W]`.
    fn output(&self) -> View {
        View::rows(self.first_column, self.rows, self.columns, self.width)
    }

    fn of_map<'a>(&self, row: &'a [f32]) -> &'a [f32] {
        &row[self.first_column..self.first_column + self.columns]
    }
}

/// A `[K, R]`, B `[R, N]`, the scale of their product, and DoRA's factor of each column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adapter<'a> {
    pub(crate) down: &'a [f32],
    pub(crate) up: &'a [f32],
    pub(crate) scale: f32,
    pub(crate) factor: Option<&'a [f32]>,
}

impl Adapter<'_> {
    /// What multiplies column `column` of the product.
    fn scale_of(&self, column: usize) -> f32 {
        self.scale * self.factor.map_or(1.0, |factor| factor[column])
    }
}

/// With G the gradient of the map's outputs and s the scale of each column: `A' = xᵀ (G (s B)ᵀ)` and `B' = s (x A)ᵀ G`.
pub(crate) fn gradients(
    x: &[f32],
    adapter: Adapter<'_>,
    grad: &[f32],
    sizes: Sizes,
) -> [Vec<f32>; 2] {
    let Sizes {
        rows,
        k,
        rank,
        columns,
        ..
    } = sizes;
    let input = View::rows(0, rows, k, k);
    let narrow = View::rows(0, rows, rank, rank);
    let product = |lhs: (&[f32], View), rhs: (&[f32], View)| {
        matmul(Lhs::F32(lhs), &[Operand::Unpacked(vec![rhs])], |_, _| ())
    };
    let scaled: Vec<f32> = (0..rank * columns)
        .map(|at| adapter.up[at] * adapter.scale_of(at % columns))
        .collect();
    let up = View::rows(0, rank, columns, columns);
    let of_hidden = product(sizes.output().of(grad), up.transposed().of(&scaled));
    let down = product(input.transposed().of(x), narrow.of(&of_hidden));

    let hidden = product(input.of(x), View::rows(0, k, rank, rank).of(adapter.down));
    let up_nr = product(sizes.output().transposed().of(grad), narrow.of(&hidden));
    let up = (0..rank * columns)
        .map(|at| {
            let (row, column) = (at / columns, at % columns);
            up_nr[column * rank + row] * adapter.scale_of(column)
        })
        .collect();
    [down, up]
}

/// `Σ G ⊙ (y − b) / m` over the rows: the product before the magnitude scales it is `(y − b) / m` times its norm. A magnitude
/// of exactly zero, of which the outputs know nothing, gets no gradient.
pub(crate) fn magnitude_gradient(
    y: &[f32],
    bias: &[f32],
    magnitude: &[f32],
    grad: &[f32],
    sizes: Sizes,
) -> Vec<f32> {
    let block = SUMMED_ROWS * sizes.width;
    let partial = |(y, grad): (&[f32], &[f32])| {
        let mut sum = vec![0.0; sizes.columns];
        let rows = y
            .chunks_exact(sizes.width)
            .zip(grad.chunks_exact(sizes.width));
        for (y, grad) in rows {
            let outputs = sizes.of_map(y).iter().zip(bias);
            let gradients = sizes.of_map(grad).iter();
            for ((sum, (y, bias)), grad) in sum.iter_mut().zip(outputs).zip(gradients) {
                *sum += grad * (y - bias);
            }
        }
        sum
    };
    let blocks = y.par_chunks(block).zip(grad.par_chunks(block));
    let partial: Vec<Vec<f32>> = blocks.map(partial).collect();
    let sums = sum_rows(&partial, sizes.columns);
    let quotient = |(sum, &magnitude): (&f32, &f32)| match magnitude == 0.0 {
        true => 0.0,
        false => sum / magnitude,
    };
    sums.iter().zip(magnitude).map(quotient).collect()
}
