//! Linear layers in bfloat16, forward and backward: both operands of each product are rounded, sums have single precision. An
//! element is rounded once, where it is read anyway, and the products that share it read the rounded one. T rows, K columns in,
//! P maps side by side, N columns out of each.

use std::borrow::Cow;

use super::buffer::{Tiles, filled_pair, zeroed};
use super::elementwise::gelu_in_place;
use super::gemm::bf16_rows::{Bf16Rows, elements_mut, words_of_row};
use super::gemm::lhs::Lhs;
use super::gemm::macrokernel::{RhsColumns, multiply_into};
use super::gemm::operand::Operand;
use super::gemm::pack_rhs::RhsPanels;
use super::gemm::quantize::{bf16, widen};
use super::gemm::schedule::{matmul, tile_rows};
use super::kept_bf16::{Kept, Layout};
use super::linear::{LinearGradients, Map, SUMMED_ROWS, Sizes, Wanted, add_rows, biases};
use super::math::gelu_and_slope;
use super::reduce::sum_rows;
use super::simd::vectorized;
use super::view::View;
use crate::params::Epilogue;

/// `[x W₁ + b₁ | x W₂ + b₂ | …]`, `[T, P · N]`, through the epilogue, and what the backward pass needs.
pub(crate) fn forward_saving(
    x: &[f32],
    maps: &[Map<'_>],
    sizes: Sizes,
    epilogue: Epilogue,
    keeps_input: bool,
) -> (Vec<f32>, Kept) {
    let weights: Vec<Cow<'_, RhsPanels>> =
        maps.iter().map(|map| map.operand(sizes).packed()).collect();
    let weights: Vec<RhsColumns<'_>> = weights.iter().map(|map| RhsColumns::all(map)).collect();
    let bias = biases(maps);
    let layout = Layout {
        input: if keeps_input { sizes.k } else { 0 },
        activation: match epilogue {
            Epilogue::Bias => 0,
            Epilogue::BiasGelu => sizes.width(),
        },
    };
    let tile = tile_rows(sizes.rows);
    let tiles = Tiles {
        rows: sizes.rows,
        tile,
        widths: [sizes.width(), layout.width()],
    };
    let ((y, words), _) = filled_pair(tiles, |index, (y, kept)| {
        let rows = index * tile..sizes.rows.min((index + 1) * tile);
        let x = &x[rows.start * sizes.k..rows.end * sizes.k];
        let kept = zeroed(kept);
        let y = multiply_into(y, &layout.pack_input(x, sizes.k, kept), &weights);
        vectorized(
            #[inline(always)]
            || {
                add_rows(y, &bias);
                if epilogue == Epilogue::BiasGelu {
                    layout.keep_activation(y, kept);
                    gelu_in_place(y);
                }
            },
        );
        ((y, kept), ())
    });
    (y, Kept::new(words, layout))
}

/// As [`linear::backward`](super::linear::backward), from the gradient of the product. The sum of its rows, the bias's gradient,
/// has single precision.
pub(crate) fn backward(
    kept: &Kept,
    weights: &[&[f32]],
    grad: &RoundedGradient,
    sizes: Sizes,
    wanted: Wanted<'_>,
) -> LinearGradients {
    gradients(kept.input(), weights, grad.rows(), sizes, wanted)
}

/// The gradients from that of the product. `x` is there where a weight's gradient is wanted.
pub(super) fn gradients(
    x: Option<(&[u16], View)>,
    weights: &[&[f32]],
    grad: GradientRows<'_>,
    sizes: Sizes,
    wanted: Wanted<'_>,
) -> LinearGradients {
    let (rows, view) = grad.rows;
    let of_map = |(map, &[weight, bias_wanted]): (usize, &[bool; 2])| {
        let at = map * sizes.columns..(map + 1) * sizes.columns;
        [
            x.filter(|_| weight).map(|(x, of_x)| {
                let grad = Operand::Bf16((rows, view.narrow(at.clone())));
                matmul(Lhs::Bf16((x, of_x.transposed())), &[grad], |_, _| ())
            }),
            bias_wanted.then(|| grad.sum[at].to_vec()),
        ]
    };
    let input_gradient = || {
        let transposed = sizes.weight().transposed();
        let weights = weights.iter().map(|weight| transposed.of(weight));
        let weights = Operand::Rounded(weights.collect());
        matmul(Lhs::Bf16((rows, view)), &[weights], |_, _| ())
    };
    // The maps' gradients first: packing for them takes the most memory.
    let maps = wanted.maps.iter().enumerate().map(of_map).collect();
    LinearGradients {
        maps,
        x: wanted.x.then(input_gradient),
    }
}

/// The gradient of a product in bfloat16.
#[derive(Clone, Copy)]
pub(super) struct GradientRows<'a> {
    /// `[T, P · N]`, each row whole words.
    pub(super) rows: (&'a [u16], View),
    /// The sum of the rows before they were rounded, `[P · N]`.
    pub(super) sum: &'a [f32],
}

/// A gradient in bfloat16, half as large as the one that it is rounded from.
pub(crate) struct RoundedGradient {
    words: Vec<u32>,
    sum: Vec<f32>,
}

impl RoundedGradient {
    /// That of an output `[T, width]` without an activation.
    pub(crate) fn of_output(grad: &[f32], width: usize) -> Self {
        Self::of(grad, width, |_| &[])
    }

    /// That of the product in a map that has kept this.
    pub(crate) fn of_product(grad: &[f32], width: usize, kept: &Kept) -> Self {
        Self::of(grad, width, |row| kept.activation(row))
    }

    /// `activation` has the words of the activation's input in a row, none where there is none.
    fn of<'a>(grad: &[f32], width: usize, activation: impl Fn(usize) -> &'a [u32] + Sync) -> Self {
        let blocks = Tiles {
            rows: grad.len() / width,
            tile: SUMMED_ROWS,
            widths: [words_of_row(width), 0],
        };
        let ((words, _), partial) = filled_pair(blocks, |block, (words, none)| {
            let words = zeroed(words);
            let mut sum = vec![0.0; width];
            vectorized(
                #[inline(always)]
                || {
                    let first = block * SUMMED_ROWS;
                    let rows = grad[first * width..].chunks_exact(width);
                    let words = words.chunks_exact_mut(words_of_row(width));
                    for (row, (words, grad)) in (first..).zip(words.zip(rows)) {
                        match activation(row) {
                            [] => round_and_add(words, &mut sum, grad),
                            z => {
                                words.copy_from_slice(z);
                                round_gradient(words, &mut sum, grad);
                            }
                        }
                    }
                },
            );
            ((words, zeroed::<u32>(none)), sum)
        });
        Self {
            words,
            sum: sum_rows(&partial, width),
        }
    }

    pub(super) fn rows(&self) -> GradientRows<'_> {
        let width = self.sum.len();
        GradientRows {
            rows: Bf16Rows::new(&self.words, words_of_row(width)).columns(0..width),
            sum: &self.sum,
        }
    }
}

#[inline(always)]
fn round_and_add(words: &mut [u32], sum: &mut [f32], grad: &[f32]) {
    let places = elements_mut(words).iter_mut().zip(sum);
    for ((place, sum), &grad) in places.zip(grad) {
        *sum += grad;
        *place = bf16(grad);
    }
}

/// Puts the gradient of the activation's input in the place of that input in one row, rounded, and adds it to `sum`.
#[inline(always)]
pub(super) fn round_gradient(z: &mut [u32], sum: &mut [f32], grad: &[f32]) {
    let places = elements_mut(z).iter_mut().zip(sum);
    for ((place, sum), &grad) in places.zip(grad) {
        let grad = grad * gelu_and_slope(widen(*place)).1;
        *sum += grad;
        *place = bf16(grad);
    }
}
