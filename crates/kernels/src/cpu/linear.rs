//! Linear maps and what follows them, forward and backward, a tile of rows at a time so that it is still in the cache when
//! the bias and the activation come. T rows, K columns in, P maps side by side, N columns out of each.

use std::borrow::Cow;

use rayon::prelude::*;

use super::blocks::{Columns, product_into};
use super::buffer::{filled_pair, map_into};
use super::elementwise::times;
use super::left::Left;
use super::math::{gelu_and_slope, vectorized};
use super::panels::Panels;
use super::part::Part;
use super::sharing::{Factor, shared_product, tile_of};
use crate::Epilogue;

/// Rows that are added up before the sums are: a constant, so that the result does not depend on the number of threads.
const SUMMED_ROWS: usize = 128;

/// The weight `[K, N]` and bias `[N]` of one map.
#[derive(Clone, Copy)]
pub(crate) struct Map<'a> {
    pub(crate) weight: &'a [f32],
    /// The same in panels, where it is kept like that.
    pub(crate) panels: Option<&'a Panels>,
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

    fn x(&self) -> Part {
        Part::rows(0, self.rows, self.inner, self.inner)
    }

    /// The weight of one map, packed.
    pub(crate) fn panels(&self, weight: &[f32]) -> Panels {
        Panels::pack(&[self.weight().of(weight)])
    }

    /// Of one map.
    fn weight(&self) -> Part {
        Part::rows(0, self.inner, self.columns, self.columns)
    }

    /// `[T, P · N]`.
    fn output(&self) -> Part {
        Part::rows(0, self.rows, self.width(), self.width())
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

impl Map<'_> {
    fn factor(&self, sizes: Sizes) -> Factor<'_> {
        match self.panels {
            Some(panels) => Factor::Packed(panels),
            None => Factor::Loose(vec![sizes.weight().of(self.weight)]),
        }
    }
}

/// `[x W₁ + b₁ | x W₂ + b₂ | …]`, `[T, P · N]`, and what follows.
pub(crate) fn forward(x: &[f32], maps: &[Map<'_>], sizes: Sizes, epilogue: Epilogue) -> Vec<f32> {
    let weights: Vec<Factor<'_>> = maps.iter().map(|map| map.factor(sizes)).collect();
    let bias = maps.iter().flat_map(|map| map.bias).copied();
    let bias: Vec<f32> = bias.collect();
    shared_product(sizes.x().of(x), &weights, |y, columns| {
        epilogue.finish(y, &bias[columns]);
    })
}

/// GELU of one map, and the slope of GELU there, which is what the backward pass needs: `[T, N]` both.
pub(crate) fn gelu_forward(x: &[f32], map: Map<'_>, sizes: Sizes) -> [Vec<f32>; 2] {
    let weight = map.factor(sizes).packed();
    let tile = tile_of(sizes.rows);
    let length = sizes.rows * sizes.columns;
    let (both, _) = filled_pair(length, tile * sizes.columns, |index, [y, slope]| {
        let first = index * tile;
        let rows = sizes.x().narrow_rows(first..sizes.rows.min(first + tile));
        let rows = Left::pack(weight.arch(), (x, rows), weight.short());
        let slope = product_into(slope, &rows, &[Columns::all(&weight)]);
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

/// `[G₁ | G₂ | …] · [W₁ | W₂ | …]ᵀ`, one product.
fn input_gradient(weights: &[&[f32]], grad: &[f32], sizes: Sizes) -> Vec<f32> {
    let transposed = sizes.weight().transposed();
    let weights = weights.iter().map(|weight| transposed.of(weight));
    let weights = Factor::Loose(weights.collect());
    shared_product(sizes.output().of(grad), &[weights], |_, _| ())
}

fn weight_gradient(x: &[f32], grad: &[f32], sizes: Sizes, map: usize) -> Vec<f32> {
    let columns = map * sizes.columns..(map + 1) * sizes.columns;
    let grad = Factor::Loose(vec![sizes.output().narrow(columns).of(grad)]);
    shared_product(sizes.x().transposed().of(x), &[grad], |_, _| ())
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
    let partial: Vec<Vec<f32>> = grad.par_chunks(SUMMED_ROWS * width).map(partial).collect();
    super::total(&partial, width)
}
