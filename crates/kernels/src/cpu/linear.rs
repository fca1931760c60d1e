//! Linear layers with an epilogue, forward and backward. The epilogue follows tile by tile, while the tile is in the cache. T rows,
//! K columns in, P maps side by side, N columns out of each.

use std::borrow::Cow;

use rayon::prelude::*;

use super::buffer::{Tiles, filled_pair};
use super::elementwise::{gelu_backward, gelu_in_place};
use super::gemm::lhs::{Lhs, PackedLhs};
use super::gemm::macrokernel::{RhsColumns, multiply_into};
use super::gemm::operand::Operand;
use super::gemm::pack_rhs::RhsPanels;
use super::gemm::schedule::{matmul, tile_rows};
use super::reduce::sum_rows;
use super::simd::vectorized;
use super::view::View;
use crate::params::{Epilogue, Precision};

/// Rows of a block of the bias gradient: a constant, so that the sum does not depend on the number of threads.
pub(super) const SUMMED_ROWS: usize = 128;

/// The weight `[K, N]` and bias `[N]` of one map.
#[derive(Clone, Copy)]
pub(crate) struct Map<'a> {
    pub(crate) weight: &'a [f32],
    /// The weight packed, if it is kept like that.
    pub(crate) panels: Option<&'a RhsPanels>,
    pub(crate) bias: &'a [f32],
    /// Of the product, where the weight is not packed.
    pub(crate) precision: Precision,
}

/// T, K, N and P of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) rows: usize,
    pub(crate) k: usize,
    pub(crate) columns: usize,
    pub(crate) maps: usize,
}

impl Sizes {
    /// P · N.
    pub(crate) fn width(&self) -> usize {
        self.maps * self.columns
    }

    pub(super) fn x(&self) -> View {
        View::rows(0, self.rows, self.k, self.k)
    }

    /// The weight of one map, packed.
    pub(crate) fn panels(&self, weight: &[f32]) -> RhsPanels {
        RhsPanels::pack(&[self.weight().of(weight)])
    }

    /// Of one map.
    pub(super) fn weight(&self) -> View {
        View::rows(0, self.k, self.columns, self.columns)
    }

    /// `[T, P · N]`.
    fn output(&self) -> View {
        View::rows(0, self.rows, self.width(), self.width())
    }
}

impl Epilogue {
    /// Applies the epilogue to rows of the bias's width.
    pub(super) fn apply(self, y: &mut [f32], bias: &[f32]) {
        vectorized(
            #[inline(always)]
            || {
                add_rows(y, bias);
                if self == Self::BiasGelu {
                    gelu_in_place(y);
                }
            },
        );
    }
}

#[inline(always)]
pub(super) fn add_rows(y: &mut [f32], bias: &[f32]) {
    for row in y.chunks_exact_mut(bias.len()) {
        for (y, &bias) in row.iter_mut().zip(bias) {
            *y += bias;
        }
    }
}

impl Map<'_> {
    pub(super) fn operand(&self, sizes: Sizes) -> Operand<'_> {
        let weight = || vec![sizes.weight().of(self.weight)];
        match (self.panels, self.precision) {
            (Some(panels), _) => Operand::Packed(panels),
            (None, Precision::F32) => Operand::Unpacked(weight()),
            (None, Precision::Bf16) => Operand::Rounded(weight()),
        }
    }
}

/// `[x W₁ + b₁ | x W₂ + b₂ | …]`, `[T, P · N]`, through the epilogue.
pub(crate) fn forward(x: &[f32], maps: &[Map<'_>], sizes: Sizes, epilogue: Epilogue) -> Vec<f32> {
    let weights: Vec<Operand<'_>> = maps.iter().map(|map| map.operand(sizes)).collect();
    let bias = biases(maps);
    matmul(Lhs::F32(sizes.x().of(x)), &weights, |y, columns| {
        epilogue.apply(y, &bias[columns]);
    })
}

/// The biases side by side.
pub(super) fn biases(maps: &[Map<'_>]) -> Vec<f32> {
    maps.iter().flat_map(|map| map.bias).copied().collect()
}

/// GELU of one map, and GELU's input, which the backward pass needs: `[T, N]` both.
pub(crate) fn gelu_forward(x: &[f32], map: Map<'_>, sizes: Sizes) -> [Vec<f32>; 2] {
    let weight = map.operand(sizes).packed();
    let tile = tile_rows(sizes.rows);
    let tiles = Tiles {
        rows: sizes.rows,
        tile,
        widths: [sizes.columns; 2],
    };
    let ((y, z), _) = filled_pair(tiles, |index, (y, z)| {
        let first = index * tile;
        let rows = sizes.x().narrow_rows(first..sizes.rows.min(first + tile));
        let rows = PackedLhs::pack(weight.arch(), (x, rows), weight.quantization());
        let z = multiply_into(z, &rows, &[RhsColumns::all(&weight)]);
        let y = vectorized(
            #[inline(always)]
            || {
                add_rows(z, map.bias);
                let y = y.write_copy_of_slice(z);
                gelu_in_place(y);
                y
            },
        );
        ((y, z), ())
    });
    [y, z]
}

/// The gradients that are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) x: bool,
    /// The weight's and the bias's of each map.
    pub(crate) maps: &'a [[bool; 2]],
}

/// The gradients, as far as they are wanted.
pub(crate) struct LinearGradients {
    /// `[T, K]`.
    pub(crate) x: Option<Vec<f32>>,
    /// `[K, N]` and `[N]` of each map.
    pub(crate) maps: Vec<[Option<Vec<f32>>; 2]>,
}

/// With G the gradient of the output, times GELU's slope at its input `z` if there is an activation: `x' = Σ Gₚ Wₚᵀ`,
/// `Wₚ' = xᵀ Gₚ`, and `bₚ'` is the sum of the rows of Gₚ. `x` is there where a weight's gradient is wanted.
pub(crate) fn backward(
    x: Option<&[f32]>,
    weights: &[&[f32]],
    z: Option<&[f32]>,
    grad: &[f32],
    sizes: Sizes,
    wanted: Wanted<'_>,
) -> LinearGradients {
    let grad = match z {
        None => Cow::Borrowed(grad),
        Some(z) => Cow::Owned(gelu_backward(z, grad)),
    };
    let grad = grad.as_ref();
    let any_bias = wanted.maps.iter().any(|[_, bias]| *bias);
    let bias = any_bias.then(|| sum_of_rows(grad, sizes));
    let of_map = |(map, &[weight, bias_wanted]): (usize, &[bool; 2])| {
        let at = map * sizes.columns..(map + 1) * sizes.columns;
        let bias = bias.as_ref().filter(|_| bias_wanted);
        [
            x.filter(|_| weight)
                .map(|x| weight_gradient(x, grad, sizes, map)),
            bias.map(|bias| bias[at].to_vec()),
        ]
    };
    // The maps' gradients first: packing for them takes the most memory.
    let maps = wanted.maps.iter().enumerate().map(of_map).collect();
    LinearGradients {
        maps,
        x: wanted.x.then(|| input_gradient(weights, grad, sizes)),
    }
}

/// `[G₁ | G₂ | …] · [W₁ | W₂ | …]ᵀ`, one product.
fn input_gradient(weights: &[&[f32]], grad: &[f32], sizes: Sizes) -> Vec<f32> {
    let transposed = sizes.weight().transposed();
    let weights = weights.iter().map(|weight| transposed.of(weight));
    let weights = Operand::Unpacked(weights.collect());
    matmul(Lhs::F32(sizes.output().of(grad)), &[weights], |_, _| ())
}

fn weight_gradient(x: &[f32], grad: &[f32], sizes: Sizes, map: usize) -> Vec<f32> {
    let columns = map * sizes.columns..(map + 1) * sizes.columns;
    let grad = Operand::Unpacked(vec![sizes.output().narrow(columns).of(grad)]);
    matmul(Lhs::F32(sizes.x().transposed().of(x)), &[grad], |_, _| ())
}

/// `[P · N]`, summed within blocks and then over them in order.
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
    sum_rows(&partial, width)
}
