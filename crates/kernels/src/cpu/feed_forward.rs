//! A feed-forward network, `gelu(x W₁ + b₁) W₂ + b₂`, forward and backward. A tile of rows passes through both maps while it is
//! in the cache, and only the input of the activation is kept. T rows, K columns in, I inner columns, N columns out.

use super::buffer::{Tiles, filled, filled_beside, filled_pair};
use super::elementwise::gelu_in_place;
use super::gemm::lhs::PackedLhs;
use super::gemm::macrokernel::{RhsColumns, multiply_into};
use super::gemm::operand::Operand;
use super::gemm::pack_rhs::RhsPanels;
use super::gemm::schedule::{shares_columns, tile_rows};
use super::linear::{self, LinearGradients, Map, Wanted, add_rows};
use super::math::gelu_and_slope;
use super::simd::vectorized;
use super::view::View;
use crate::params::Epilogue;

/// T, K, I and N of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) rows: usize,
    pub(crate) input: usize,
    pub(crate) inner: usize,
    pub(crate) output: usize,
}

impl Sizes {
    /// Of each map.
    pub(super) fn maps(&self) -> [linear::Sizes; 2] {
        [(self.input, self.inner), (self.inner, self.output)].map(|(k, columns)| linear::Sizes {
            rows: self.rows,
            k,
            columns,
            maps: 1,
        })
    }

    /// `weight` of one of the maps, packed.
    pub(crate) fn panels(&self, map: usize, weight: &[f32]) -> RhsPanels {
        self.maps()[map].panels(weight)
    }

    /// The output and `beside` columns of what is kept, in tiles of whole rows.
    pub(super) fn tiles(&self, beside: usize) -> Tiles {
        Tiles {
            rows: self.rows,
            tile: tile_rows(self.rows),
            widths: [self.output, beside],
        }
    }

    /// `W₂ᵀ` as it is multiplied with the gradient of the output.
    pub(super) fn second_transposed<'a>(&self, weight: &'a [f32]) -> Vec<(&'a [f32], View)> {
        vec![self.maps()[1].weight().transposed().of(weight)]
    }
}

/// Rows of a matrix that one tile needs for itself.
pub(super) fn product(lhs: &PackedLhs, rhs: &RhsPanels) -> Vec<f32> {
    let length = lhs.rows() * rhs.columns();
    filled(length, length, |_, places| {
        multiply_into(places, lhs, &[RhsColumns::all(rhs)])
    })
}

/// `[T, N]`.
pub(crate) fn forward(x: &[f32], maps: [Map<'_>; 2], sizes: Sizes) -> Vec<f32> {
    let [first, second] = sizes.maps();
    if shares_columns(sizes.rows) {
        let inner = linear::forward(x, &maps[..1], first, Epilogue::BiasGelu);
        return linear::forward(&inner, &maps[1..], second, Epilogue::Bias);
    }
    let weights = [maps[0].operand(first), maps[1].operand(second)];
    let weights = weights.each_ref().map(Operand::packed);
    let tile = tile_rows(sizes.rows);
    let columns = sizes.output;
    filled(sizes.rows * columns, tile * columns, |index, out| {
        let rows = out.len() / columns;
        let at = index * tile;
        let x = (x, first.x().narrow_rows(at..at + rows));
        let x = PackedLhs::pack(weights[0].arch(), x, weights[0].quantization());
        let mut inner = product(&x, &weights[0]);
        Epilogue::BiasGelu.apply(&mut inner, maps[0].bias);
        let inner = (&inner[..], View::rows(0, rows, sizes.inner, sizes.inner));
        let inner = PackedLhs::pack(weights[1].arch(), inner, weights[1].quantization());
        let out = multiply_into(out, &inner, &[RhsColumns::all(&weights[1])]);
        Epilogue::Bias.apply(out, maps[1].bias);
        out
    })
}

/// The output `[T, N]` and the input of the activation `[T, I]`, in single precision.
pub(crate) fn forward_saving(x: &[f32], maps: [Map<'_>; 2], sizes: Sizes) -> [Vec<f32>; 2] {
    let [first, second] = sizes.maps();
    let weights = [maps[0].operand(first), maps[1].operand(second)];
    let [w1, w2] = weights.each_ref().map(Operand::packed);
    let tiles = sizes.tiles(sizes.inner);
    let ((y, z), _) = filled_pair(tiles, |index, (y, z)| {
        let (at, rows) = (index * tiles.tile, y.len() / sizes.output);
        let x = (x, first.x().narrow_rows(at..at + rows));
        let x = PackedLhs::pack(w1.arch(), x, None);
        let z = multiply_into(z, &x, &[RhsColumns::all(&w1)]);
        let inner = vectorized(
            #[inline(always)]
            || {
                add_rows(z, maps[0].bias);
                let mut inner = z.to_vec();
                gelu_in_place(&mut inner);
                inner
            },
        );
        let inner = (&inner[..], View::rows(0, rows, sizes.inner, sizes.inner));
        let inner = PackedLhs::pack(w2.arch(), inner, None);
        let y = multiply_into(y, &inner, &[RhsColumns::all(&w2)]);
        Epilogue::Bias.apply(y, maps[1].bias);
        ((y, z), ())
    });
    [y, z]
}

/// The gradients of the input, and of each map's weight and bias, as far as they are wanted. `x` is there where that of the
/// first weight is; `z` is the input of the activation.
pub(crate) fn backward(
    x: Option<&[f32]>,
    mut z: Vec<f32>,
    weights: [&[f32]; 2],
    grad: &[f32],
    sizes: Sizes,
    wanted: Wanted<'_>,
) -> LinearGradients {
    let [first, second] = sizes.maps();
    let [of_first, of_second] = [&wanted.maps[..1], &wanted.maps[1..]];
    let inner = differentiate(&mut z, weights[1], grad, sizes, of_second[0][0]);
    let grad_z = z;
    let second = {
        let wanted = Wanted {
            x: false,
            maps: of_second,
        };
        linear::backward(Some(&inner), &weights[1..], None, grad, second, wanted)
    };
    drop(inner);
    let wanted = Wanted {
        maps: of_first,
        ..wanted
    };
    let mut gradients = linear::backward(x, &weights[..1], None, &grad_z, first, wanted);
    gradients.maps.extend(second.maps);
    gradients
}

/// Puts `G W₂ᵀ ∘ gelu'(z)` in the place of z. Returns `gelu(z)` `[T, I]` if it is wanted.
fn differentiate(
    z: &mut [f32],
    weight: &[f32],
    grad: &[f32],
    sizes: Sizes,
    keeps_inner: bool,
) -> Vec<f32> {
    let weight = RhsPanels::pack(&sizes.second_transposed(weight));
    let tile = tile_rows(sizes.rows);
    let tiles = Tiles {
        rows: sizes.rows,
        tile,
        widths: [sizes.inner, if keeps_inner { sizes.inner } else { 0 }],
    };
    let of_output = View::rows(0, sizes.rows, sizes.output, sizes.output);
    let (inner, _) = filled_beside(tiles, z, |index, (z, inner)| {
        let (at, rows) = (index * tile, z.len() / sizes.inner);
        let grad = (grad, of_output.narrow_rows(at..at + rows));
        let grad = product(&PackedLhs::pack(weight.arch(), grad, None), &weight);
        let inner = inner.write_copy_of_slice(if keeps_inner { z } else { &[] });
        vectorized(
            #[inline(always)]
            || {
                if inner.is_empty() {
                    for (z, &grad) in z.iter_mut().zip(&grad) {
                        *z = grad * gelu_and_slope(*z).1;
                    }
                }
                for ((z, &grad), inner) in z.iter_mut().zip(&grad).zip(inner.iter_mut()) {
                    let (gelu, slope) = gelu_and_slope(*z);
                    *z = grad * slope;
                    *inner = gelu;
                }
            },
        );
        (inner, ())
    });
    inner
}
