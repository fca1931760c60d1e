//! Linear maps and what follows them, forward and backward, a tile of rows at a time so that it is still in the cache when
//! the bias and the activation come. T rows, K columns in, P maps side by side, N columns out of each.

use std::borrow::Cow;
use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::buffer::{filled, filled_pair, map_into};
use super::elementwise::times;
use super::math::{gelu_and_slope, vectorized};
use super::product::{Part, Threads, add_product, joined_product_into};
use crate::Epilogue;

/// Rows of a tile: enough that packing the weights anew for each tile costs little (83 instead of 87 GFLOP/s at 128 × 384 ×
/// 1536 on one core with AVX2), few enough for a second-level cache.
const ROWS: usize = 128;
/// Columns of a tile where there are too few rows to share out: a multiple of the width of every kernel of `gemm`.
const COLUMNS: usize = 96;

/// The weight `[K, N]` and bias `[N]` of one map.
#[derive(Clone, Copy)]
pub(crate) struct Map<'a> {
    pub(crate) weight: &'a [f32],
    pub(crate) bias: &'a [f32],
}

/// T, K, N and P of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) rows: usize,
    pub(crate) inner: usize,
    pub(crate) columns: usize,
    pub(crate) maps: usize,
}

impl Sizes {
    /// P · N.
    pub(crate) fn width(&self) -> usize {
        self.maps * self.columns
    }

    /// Rows of a tile: at most [`ROWS`], and an even number of about equal tiles. It follows from the sizes alone, so that
    /// the result does not depend on the number of threads.
    fn tile(&self) -> usize {
        let tiles = self.rows.div_ceil(ROWS).next_multiple_of(2);
        self.rows.div_ceil(tiles).max(1)
    }

    /// Whether there are too few rows for tiles of their own.
    fn is_narrow(&self) -> bool {
        self.rows < 2 * ROWS
    }

    /// The number of a tile's first row and how many it has.
    fn tile_rows(&self, tile: usize) -> (usize, usize) {
        let first = tile * self.tile();
        (first, self.tile().min(self.rows - first))
    }

    /// Rows of x.
    fn x(&self, first: usize, rows: usize) -> Part {
        Part::rows(first * self.inner, rows, self.inner, self.inner)
    }

    /// Columns of one weight.
    fn weight(&self, first: usize, columns: usize) -> Part {
        Part::rows(first, self.inner, columns, self.columns)
    }

    /// What belongs to one map in rows of `[T, P · N]`.
    fn output(&self, map: usize, first: usize, rows: usize) -> Part {
        let start = first * self.width() + map * self.columns;
        Part::rows(start, rows, self.columns, self.width())
    }
}

impl Epilogue {
    /// Adds the bias to rows of its width and does what follows.
    fn finish(self, y: &mut [f32], bias: &[f32]) {
        vectorized(
            #[inline(always)]
            || {
                add_rows(y, bias);
                if self == Self::BiasGelu {
                    for y in y.iter_mut() {
                        (*y, _) = gelu_and_slope(*y);
                    }
                }
            },
        );
    }
}

#[inline(always)]
fn add_rows(y: &mut [f32], bias: &[f32]) {
    for row in y.chunks_exact_mut(bias.len()) {
        for (y, &bias) in row.iter_mut().zip(bias) {
            *y += bias;
        }
    }
}

/// `[x W₁ + b₁ | x W₂ + b₂ | …]`, `[T, P · N]`, and what follows.
pub(crate) fn forward(x: &[f32], maps: &[Map<'_>], sizes: Sizes, epilogue: Epilogue) -> Vec<f32> {
    if sizes.is_narrow() {
        return narrow(x, maps, sizes, epilogue);
    }
    let bias = maps.iter().flat_map(|map| map.bias).copied();
    let bias: Vec<f32> = bias.collect();
    let tile = sizes.tile() * sizes.width();
    filled(sizes.rows * sizes.width(), tile, |tile, y| {
        let y = tile_product(x, maps, sizes, tile, y);
        epilogue.finish(y, &bias);
        y
    })
}

fn tile_product<'a>(
    x: &[f32],
    maps: &[Map<'_>],
    sizes: Sizes,
    tile: usize,
    y: &'a mut [MaybeUninit<f32>],
) -> &'a mut [f32] {
    let (first, rows) = sizes.tile_rows(tile);
    let weights = maps.iter().map(|map| map.weight);
    let weights: Vec<_> = weights
        .map(|weight| sizes.weight(0, sizes.columns).of(weight))
        .collect();
    joined_product_into(y, (x, sizes.x(first, rows)), &weights, Threads::One)
}

/// [`forward`] in tiles of columns.
fn narrow(x: &[f32], maps: &[Map<'_>], sizes: Sizes, epilogue: Epilogue) -> Vec<f32> {
    let firsts = (0..sizes.columns).step_by(COLUMNS);
    let tiles = maps
        .iter()
        .flat_map(|map| firsts.clone().map(move |first| (map, first)));
    let tiles: Vec<(&Map<'_>, usize)> = tiles.collect();
    let tile = |&(map, first): &(&Map<'_>, usize)| {
        let columns = COLUMNS.min(sizes.columns - first);
        let length = sizes.rows * columns;
        filled(length, length, |_, y| {
            let (left, right) = (sizes.x(0, sizes.rows), sizes.weight(first, columns));
            let y = joined_product_into(y, (x, left), &[(map.weight, right)], Threads::One);
            epilogue.finish(y, &map.bias[first..first + columns]);
            y
        })
    };
    let done: Vec<Vec<f32>> = tiles.par_iter().with_max_len(1).map(tile).collect();
    let mut y = Vec::with_capacity(sizes.rows * sizes.width());
    for row in 0..sizes.rows {
        for tile in &done {
            let columns = tile.len() / sizes.rows;
            y.extend_from_slice(&tile[row * columns..(row + 1) * columns]);
        }
    }
    y
}

/// GELU of one map, and the slope of GELU there, which is what the backward pass needs: `[T, N]` both.
pub(crate) fn gelu_forward(x: &[f32], map: Map<'_>, sizes: Sizes) -> [Vec<f32>; 2] {
    let tile = sizes.tile() * sizes.columns;
    let length = sizes.rows * sizes.columns;
    let (both, _) = filled_pair(length, tile, |tile, [y, slope]| {
        let slope = tile_product(x, &[map], sizes, tile, slope);
        let y = vectorized(
            #[inline(always)]
            || {
                add_rows(slope, map.bias);
                map_into(
                    y,
                    slope,
                    #[inline(always)]
                    |x| {
                        let (gelu, slope) = gelu_and_slope(*x);
                        *x = slope;
                        gelu
                    },
                )
            },
        );
        ([y, slope], ())
    });
    both
}

/// Which gradients somebody waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) x: bool,
    /// Of each map the weight's and the bias's.
    pub(crate) maps: &'a [[bool; 2]],
}

/// The gradients that were asked for.
pub(crate) struct LinearGradients {
    /// `[T, K]`.
    pub(crate) x: Option<Vec<f32>>,
    /// Of each map `[K, N]` and `[N]`.
    pub(crate) maps: Vec<[Option<Vec<f32>>; 2]>,
}

/// With G the gradient of the output times the slope of what follows: `x' = Σ Gₚ Wₚᵀ`, `Wₚ' = xᵀ Gₚ`, and `bₚ'` the sum of
/// the rows of Gₚ.
pub(crate) fn backward(
    x: &[f32],
    weights: &[&[f32]],
    slope: Option<&[f32]>,
    grad: &[f32],
    sizes: Sizes,
    wanted: Wanted<'_>,
) -> LinearGradients {
    let grad = match slope {
        None => Cow::Borrowed(grad),
        Some(slope) => Cow::Owned(times(grad, slope)),
    };
    let grad = grad.as_ref();
    let any_bias = wanted.maps.iter().any(|[_, bias]| *bias);
    let bias = any_bias.then(|| sum_of_rows(grad, sizes));
    let of_map = |(map, &[weight, bias_wanted]): (usize, &[bool; 2])| {
        let at = map * sizes.columns..(map + 1) * sizes.columns;
        let bias = bias.as_ref().filter(|_| bias_wanted);
        [
            weight.then(|| weight_gradient(x, grad, sizes, map)),
            bias.map(|bias| bias[at].to_vec()),
        ]
    };
    LinearGradients {
        x: wanted.x.then(|| input_gradient(weights, grad, sizes)),
        maps: wanted.maps.iter().enumerate().map(of_map).collect(),
    }
}

fn input_gradient(weights: &[&[f32]], grad: &[f32], sizes: Sizes) -> Vec<f32> {
    let (tile, threads) = if sizes.is_narrow() {
        (sizes.rows, Threads::All)
    } else {
        (sizes.tile(), Threads::One)
    };
    filled(
        sizes.rows * sizes.inner,
        tile * sizes.inner,
        |index, out| {
            let rows = out.len() / sizes.inner.max(1);
            let first = index * tile;
            let factors = weights.iter().enumerate().map(|(map, weight)| {
                let weight_t = sizes.weight(0, sizes.columns).transposed();
                (sizes.output(map, first, rows).of(grad), weight_t.of(weight))
            });
            let mut factors = factors;
            let Some((left, right)) = factors.next() else {
                unreachable!("there is at least one map");
            };
            let sum = joined_product_into(out, left, &[right], threads);
            let whole = Part::rows(0, rows, sizes.inner, sizes.inner);
            for (left, right) in factors {
                add_product((sum, whole), left, right, threads);
            }
            sum
        },
    )
}

fn weight_gradient(x: &[f32], grad: &[f32], sizes: Sizes, map: usize) -> Vec<f32> {
    let length = sizes.inner * sizes.columns;
    filled(length, length, |_, out| {
        let x_t = sizes.x(0, sizes.rows).transposed();
        let grad = sizes.output(map, 0, sizes.rows).of(grad);
        joined_product_into(out, x_t.of(x), &[grad], Threads::All)
    })
}

/// `[P · N]`, added up tile by tile in their order.
fn sum_of_rows(grad: &[f32], sizes: Sizes) -> Vec<f32> {
    let width = sizes.width();
    let partial = |rows: &[f32]| {
        let mut sum = vec![0.0; width];
        vectorized(
            #[inline(always)]
            || {
                for row in rows.chunks_exact(width) {
                    for (sum, &value) in sum.iter_mut().zip(row) {
                        *sum += value;
                    }
                }
            },
        );
        sum
    };
    let partial: Vec<Vec<f32>> = grad.par_chunks(sizes.tile() * width).map(partial).collect();
    super::total(&partial, width)
}
