//! A feed-forward network in bfloat16, as [`feed_forward`](super::feed_forward) computes it in single precision. The operands of
//! each product are rounded. The input of the activation is kept rounded, and the backward pass takes its GELU and slope.

use super::buffer::{Tiles, filled_beside, filled_pair, zeroed};
use super::elementwise::gelu_in_place;
use super::feed_forward::{Sizes, product};
use super::gemm::bf16_rows::{Bf16Rows, elements_mut, words_of_row};
use super::gemm::lhs::PackedLhs;
use super::gemm::macrokernel::{RhsColumns, multiply_into};
use super::gemm::operand::Operand;
use super::gemm::pack_rhs::RhsPanels;
use super::gemm::quantize::{bf16, widen};
use super::gemm::schedule::tile_rows;
use super::kept_bf16::{Kept, Layout};
use super::linear::{LinearGradients, Map, Wanted, add_rows};
use super::linear_bf16::{GradientRows, RoundedGradient, gradients, round_gradient};
use super::math::gelu_and_slope;
use super::reduce::sum_rows;
use super::simd::{arch, vectorized};
use super::view::View;
use crate::params::Epilogue;

/// Rows of a block of the first bias's gradient: a constant, so that the sum does not depend on the number of threads.
const SUMMED_ROWS: usize = 32;

/// The output `[T, N]`, and what the backward pass needs.
pub(crate) fn forward_saving(
    x: &[f32],
    maps: [Map<'_>; 2],
    sizes: Sizes,
    keeps_input: bool,
) -> (Vec<f32>, Kept) {
    let [first, second] = sizes.maps();
    let weights = [maps[0].operand(first), maps[1].operand(second)];
    let [w1, w2] = weights.each_ref().map(Operand::packed);
    let layout = Layout {
        input: if keeps_input { sizes.input } else { 0 },
        activation: sizes.inner,
    };
    let tiles = sizes.tiles(layout.width());
    let ((y, words), _) = filled_pair(tiles, |index, (y, kept)| {
        let (at, rows) = (index * tiles.tile, y.len() / sizes.output);
        let x = &x[at * sizes.input..][..rows * sizes.input];
        let kept = zeroed(kept);
        let mut inner = product(&layout.pack_input(x, sizes.input, kept), &w1);
        vectorized(
            #[inline(always)]
            || {
                add_rows(&mut inner, maps[0].bias);
                layout.keep_activation(&inner, kept);
                gelu_in_place(&mut inner);
            },
        );
        let inner = (&inner[..], View::rows(0, rows, sizes.inner, sizes.inner));
        let inner = PackedLhs::pack(w2.arch(), inner, w2.quantization());
        let y = multiply_into(y, &inner, &[RhsColumns::all(&w2)]);
        Epilogue::Bias.apply(y, maps[1].bias);
        ((y, kept), ())
    });
    (y, Kept::new(words, layout))
}

/// As [`feed_forward::backward`](super::feed_forward::backward), from the gradient of the output. The gradients of the biases have
/// single precision.
pub(crate) fn backward(
    mut kept: Kept,
    weights: [&[f32]; 2],
    grad: RoundedGradient,
    sizes: Sizes,
    wanted: Wanted<'_>,
) -> LinearGradients {
    let [first, second] = sizes.maps();
    let [of_first, of_second] = [&wanted.maps[..1], &wanted.maps[1..]];
    let keeps_inner = of_second[0][0];
    let (sum, inner) = differentiate(&mut kept, weights[1], grad.rows(), sizes, keeps_inner);
    let second = {
        let inner = Bf16Rows::new(&inner, words_of_row(sizes.inner)).columns(0..sizes.inner);
        let wanted = Wanted {
            x: false,
            maps: of_second,
        };
        gradients(Some(inner), &weights[1..], grad.rows(), second, wanted)
    };
    drop((inner, grad));
    let wanted = Wanted {
        maps: of_first,
        ..wanted
    };
    let grad_z = GradientRows {
        rows: kept.activation_rows(),
        sum: &sum,
    };
    let mut all = gradients(kept.input(), &weights[..1], grad_z, first, wanted);
    all.maps.extend(second.maps);
    all
}

/// Puts `G W₂ᵀ ∘ gelu'(z)` in the place of z. Returns the sum of its rows before they are rounded, and the words of `gelu(z)`
/// `[T, I]` if they are wanted.
fn differentiate(
    kept: &mut Kept,
    weight: &[f32],
    grad: GradientRows<'_>,
    sizes: Sizes,
    keeps_inner: bool,
) -> (Vec<f32>, Vec<u32>) {
    let weight =
        RhsPanels::pack_rounded(&sizes.second_transposed(weight)).widened_without_instruction();
    let width = words_of_row(sizes.inner);
    let (words, layout) = kept.rows_mut();
    let tiles = Tiles {
        rows: sizes.rows,
        tile: tile_rows(sizes.rows).next_multiple_of(SUMMED_ROWS),
        widths: [layout.width(), if keeps_inner { width } else { 0 }],
    };
    let (of_output, view) = grad.rows;
    let (inner, partial) = filled_beside(tiles, words, |index, (words, inner)| {
        let (at, rows) = (index * tiles.tile, words.len() / layout.width());
        let grad = (of_output, view.narrow_rows(at..at + rows));
        let grad_inner = product(&PackedLhs::pack_bf16(arch(), grad), &weight);
        let inner = zeroed(inner);
        let sums = vectorized(
            #[inline(always)]
            || {
                let grads = grad_inner.chunks_exact(sizes.inner);
                let mut places = inner.chunks_exact_mut(width);
                let mut sums = vec![vec![0.0; sizes.inner]; rows.div_ceil(SUMMED_ROWS)];
                let kept = words.chunks_exact_mut(layout.width());
                for (row, (words, grad)) in kept.zip(grads).enumerate() {
                    let sum = &mut sums[row / SUMMED_ROWS];
                    let z = &mut words[layout.activation_words()];
                    match places.next() {
                        None => round_gradient(z, sum, grad),
                        Some(inner) => differentiate_row(z, inner, sum, grad),
                    }
                }
                sums
            },
        );
        (inner, sums)
    });
    (sum_rows(&partial.concat(), sizes.inner), inner)
}

/// [`round_gradient`], and GELU of `z`.
#[inline(always)]
fn differentiate_row(z: &mut [u32], inner: &mut [u32], sum: &mut [f32], grad: &[f32]) {
    let places = elements_mut(z).iter_mut().zip(sum);
    let places = places.zip(elements_mut(inner));
    for (((place, sum), inner), &grad) in places.zip(grad) {
        let (gelu, slope) = gelu_and_slope(widen(*place));
        let grad = grad * slope;
        *sum += grad;
        *place = bf16(grad);
        *inner = bf16(gelu);
    }
}
