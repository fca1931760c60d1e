//! The scores of DeBERTa's relative positions: products of queries with a vector for each distance of a key, and of keys with one
//! for each distance of a query. The products of a few rows with all distances that they need are taken first; each score is then
//! on a diagonal of them.

use std::ops::Range;

use pulp::Simd;

use super::block::{Block, QUERIES};
use super::scores::put_lanes;
use crate::cpu::elementwise;
use crate::cpu::gemm::bf16_rows::widen_into;
use crate::cpu::gemm::small::{Update, small_matmul};
use crate::cpu::view::View;
use crate::params::Precision;

/// Keys whose products with positions are taken together: of those, `W + KEYS − 1` are on the diagonals of W queries.
const KEYS: usize = 16;
/// Columns behind those of all distances, which are zero: products are taken with whole registers.
const ROOM: usize = QUERIES + KEYS;

/// Both kinds of positions, as far as there are any.
pub(crate) struct Positions {
    /// By the distance key − query.
    keys: Option<Table>,
    /// By the distance query − key.
    queries: Option<Table>,
    sizes: Sizes,
}

#[derive(Clone, Copy)]
struct Sizes {
    heads: usize,
    /// N · D.
    width: usize,
    /// The number L of positions whose distances are known.
    longest: usize,
}

impl Sizes {
    fn head(&self) -> usize {
        self.width / self.heads
    }

    /// Columns of the matrix for scores.
    fn columns(&self) -> usize {
        2 * self.longest + ROOM
    }
}

/// The vectors of all distances.
struct Table {
    /// `[2 · L, H]`.
    rows: Vec<f32>,
    /// `[N, D, columns]`: those of a head side by side.
    columns: Vec<f32>,
}

impl Table {
    fn new(rows: &[f32], sizes: Sizes, precision: Precision) -> Self {
        let mut rows = rows.to_vec();
        if precision == Precision::Bf16 {
            let rounded = elementwise::round(&rows);
            widen_into(&mut rows, &rounded);
        }
        let stride = sizes.columns();
        let mut columns = vec![0.0; sizes.width * stride];
        let read = rows.chunks_exact(sizes.width).take(2 * sizes.longest - 1);
        for (column, row) in read.enumerate() {
            for (columns, &element) in columns.chunks_exact_mut(stride).zip(row) {
                columns[column] = element;
            }
        }
        Self { rows, columns }
    }

    /// Some distances of a head for scores, `[D, R]`.
    fn columns(&self, sizes: Sizes, head: usize, distances: Range<usize>) -> (&[f32], View) {
        let (size, stride) = (sizes.head(), sizes.columns());
        let all = View::rows(head * size * stride, size, stride, stride);
        (&self.columns, all.narrow(distances))
    }

    /// Some distances of a head for gradients, `[R, D]`.
    fn rows(&self, sizes: Sizes, head: usize, distances: Range<usize>) -> (&[f32], View) {
        (&self.rows, rows_of(sizes, head, distances))
    }
}

fn rows_of(sizes: Sizes, head: usize, distances: Range<usize>) -> View {
    let start = distances.start * sizes.width + head * sizes.head();
    View::rows(start, distances.len(), sizes.head(), sizes.width)
}

/// One head of one block.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) head: usize,
    pub(super) block: &'a Block,
}

impl Place<'_> {
    /// The distances key − query of a block.
    fn of_keys(&self, longest: usize) -> Range<usize> {
        let Block { queries, keys } = self.block;
        let first = keys.start + longest - queries.end;
        first..first + keys.len() + queries.len() - 1
    }

    /// The distances query − key of the block's queries and some keys, by their indices in the block.
    fn of_queries(&self, longest: usize, keys: &Range<usize>) -> Range<usize> {
        let Block { queries, keys: all } = self.block;
        let first = queries.start + longest - (all.start + keys.end);
        first..first + queries.len() + keys.len() - 1
    }

    /// Runs of [`KEYS`], by their indices in the block.
    fn runs(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let count = self.block.keys.len();
        let firsts = (0..count).step_by(KEYS);
        firsts.map(move |first| first..count.min(first + KEYS))
    }
}

/// Columns of the products of queries with so many distances, in whole registers.
fn stride_of(distances: usize) -> usize {
    distances.next_multiple_of(KEYS)
}

impl Positions {
    /// Of matrices `[2 · L, H]`: by the distance key − query, and by query − key.
    pub(crate) fn new(
        keys: Option<&[f32]>,
        queries: Option<&[f32]>,
        [heads, width]: [usize; 2],
        precision: Precision,
    ) -> Self {
        let rows = keys.or(queries).map_or(0, <[f32]>::len) / width;
        let sizes = Sizes {
            heads,
            width,
            longest: rows / 2,
        };
        let table = |rows| Table::new(rows, sizes, precision);
        Self {
            keys: keys.map(table),
            queries: queries.map(table),
            sizes,
        }
    }

    pub(super) fn kinds(&self) -> usize {
        usize::from(self.keys.is_some()) + usize::from(self.queries.is_some())
    }

    /// The products of a block's queries with the distances of its keys, for [`add_of_queries`](Self::add_of_queries).
    #[inline(always)]
    pub(super) fn of_queries<S: Simd>(
        &self,
        simd: S,
        (queries, view): (&[f32], View),
        place: Place<'_>,
        products: &mut Vec<f32>,
    ) {
        let Some(table) = &self.keys else { return };
        let distances = place.of_keys(self.sizes.longest);
        let stride = stride_of(distances.len());
        products.resize(view.rows * stride, 0.0);
        let distances = distances.start..distances.start + stride;
        small_matmul(
            simd,
            (products, View::rows(0, view.rows, stride, stride)),
            (queries, view),
            table.columns(self.sizes, place.head, distances),
            Update::Write,
        );
    }

    /// Adds them to the scores `[L, W]`, times the scale.
    #[inline(always)]
    pub(super) fn add_of_queries<const W: usize>(
        &self,
        products: &[f32],
        scores: &mut [[f32; W]],
        place: Place<'_>,
        scale: f32,
    ) {
        if self.keys.is_some() {
            let diagonals = diagonals_of_queries(place.block);
            put_lanes(scores, (products, diagonals), |score, product| {
                *score += scale * product;
            });
        }
    }

    /// Adds the products of a block's keys with the distances of its queries to the scores `[L, W]`, times the scale.
    #[inline(always)]
    pub(super) fn add_of_keys<S: Simd, const W: usize>(
        &self,
        simd: S,
        (keys, view): (&[f32], View),
        scores: &mut [[f32; W]],
        place: Place<'_>,
        (products, scale): (&mut Vec<f32>, f32),
    ) {
        let Some(table) = &self.queries else { return };
        let stride = W + KEYS;
        products.resize(KEYS * stride, 0.0);
        for run in place.runs() {
            let first = place.of_queries(self.sizes.longest, &run).start;
            small_matmul(
                simd,
                (products, View::rows(0, run.len(), stride, stride)),
                (keys, view.narrow_rows(run.clone())),
                table.columns(self.sizes, place.head, first..first + stride),
                Update::Write,
            );
            let rows = scores[run.clone()].iter_mut().enumerate();
            for (index, scores) in rows {
                let products = &products[index * stride + run.len() - 1 - index..][..W];
                for (score, product) in scores.iter_mut().zip(products) {
                    *score += scale * product;
                }
            }
        }
    }

    /// Room for the gradient of a sequence of so many positions.
    pub(super) fn gradient(&self, positions: usize) -> PositionsGradient {
        let zeros = || vec![0.0; 2 * positions * self.sizes.width];
        PositionsGradient {
            keys: self.keys.as_ref().map(|_| zeros()),
            queries: self.queries.as_ref().map(|_| zeros()),
            first: self.sizes.longest - positions,
        }
    }

    /// From the gradient `[L, W]` of a block's scores, times the scale: adds those of the block's queries `[Q, H]`, and of the
    /// distances of its keys.
    #[inline(always)]
    pub(super) fn add_gradient_of_queries<S: Simd, const W: usize>(
        &self,
        simd: S,
        gradient: &[[f32; W]],
        place: Place<'_>,
        operands: GradientOperands<'_>,
        of_positions: &mut PositionsGradient,
    ) {
        let Some((table, of_table)) = self.keys.as_ref().zip(of_positions.keys.as_mut()) else {
            return;
        };
        let GradientOperands {
            rows,
            of_rows,
            room,
        } = operands;
        let distances = place.of_keys(self.sizes.longest);
        let (count, stride) = (place.block.queries.len(), stride_of(distances.len()));
        room.clear();
        room.resize(count * stride, 0.0);
        let diagonals = diagonals_of_queries(place.block);
        for lane in 0..count {
            let places = &mut room[diagonals.start + lane * diagonals.row_stride..];
            for (place, gradient) in places.iter_mut().zip(gradient) {
                *place = gradient[lane];
            }
        }
        let by_distance = View::rows(0, count, distances.len(), stride);
        small_matmul(
            simd,
            of_rows,
            (room, by_distance),
            table.rows(self.sizes, place.head, distances.clone()),
            Update::Add,
        );
        let own = rows_of(
            self.sizes,
            place.head,
            within(of_positions.first, &distances),
        );
        small_matmul(
            simd,
            (of_table, own),
            (room, by_distance.transposed()),
            rows,
            Update::Add,
        );
    }

    /// The same for the block's keys and the distances of its queries.
    #[inline(always)]
    pub(super) fn add_gradient_of_keys<S: Simd, const W: usize>(
        &self,
        simd: S,
        gradient: &[[f32; W]],
        place: Place<'_>,
        operands: GradientOperands<'_>,
        of_positions: &mut PositionsGradient,
    ) {
        let Some((table, of_table)) = self.queries.as_ref().zip(of_positions.queries.as_mut())
        else {
            return;
        };
        let GradientOperands {
            rows: (keys, keys_view),
            of_rows: (of_keys, of_keys_view),
            room,
        } = operands;
        let (count, stride) = (place.block.queries.len(), W + KEYS);
        for run in place.runs() {
            let distances = place.of_queries(self.sizes.longest, &run);
            room.clear();
            room.resize(run.len() * stride, 0.0);
            for (index, gradient) in gradient[run.clone()].iter().enumerate() {
                let first = index * stride + run.len() - 1 - index;
                room[first..first + count].copy_from_slice(&gradient[..count]);
            }
            let by_distance = View::rows(0, run.len(), distances.len(), stride);
            small_matmul(
                simd,
                (&mut *of_keys, of_keys_view.narrow_rows(run.clone())),
                (room, by_distance),
                table.rows(self.sizes, place.head, distances.clone()),
                Update::Add,
            );
            let own = within(of_positions.first, &distances);
            small_matmul(
                simd,
                (&mut *of_table, rows_of(self.sizes, place.head, own)),
                (room, by_distance.transposed()),
                (keys, keys_view.narrow_rows(run)),
                Update::Add,
            );
        }
    }

    /// The gradients of the matrices, in the order of `keys` and `queries`: the sums over the sequences, in their order.
    pub(super) fn sum(&self, gradients: impl Iterator<Item = PositionsGradient>) -> Vec<Vec<f32>> {
        let zeros = |table: &Table| vec![0.0; table.rows.len()];
        let [mut keys, mut queries] = [&self.keys, &self.queries].map(|t| t.as_ref().map(zeros));
        let add = |sum: &mut Option<Vec<f32>>, own: Option<Vec<f32>>, first: usize| {
            let own = own.unwrap_or_default();
            let places = sum
                .iter_mut()
                .flat_map(|sum| &mut sum[first * self.sizes.width..]);
            for (place, own) in places.zip(own) {
                *place += own;
            }
        };
        for gradient in gradients {
            add(&mut keys, gradient.keys, gradient.first);
            add(&mut queries, gradient.queries, gradient.first);
        }
        keys.into_iter().chain(queries).collect()
    }
}

/// Rows of queries or keys `[R, D]`, where their gradient is, and room for that of products.
pub(super) struct GradientOperands<'a> {
    pub(super) rows: (&'a [f32], View),
    pub(super) of_rows: (&'a mut [f32], View),
    pub(super) room: &'a mut Vec<f32>,
}

/// The gradient of one sequence: that of the distances that it has.
pub(super) struct PositionsGradient {
    /// `[2 · S, H]`.
    keys: Option<Vec<f32>>,
    queries: Option<Vec<f32>>,
    /// The row of the whole table that is the first of these.
    first: usize,
}

/// Distances among those of one sequence.
fn within(first: usize, distances: &Range<usize>) -> Range<usize> {
    distances.start - first..distances.end - first
}

/// Where the score of each key is among the products of a query: `[Q, L]`, one place further left for each query.
fn diagonals_of_queries(block: &Block) -> View {
    let (queries, keys) = (block.queries.len(), block.keys.len());
    let stride = stride_of(keys + queries - 1);
    View::rows(queries - 1, queries, keys, stride - 1)
}
