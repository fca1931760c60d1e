//! Linear maps in bfloat16, forward and backward: both operands of each product are rounded, sums have single precision. An
//! element is rounded once, where it is read anyway, and the products that share it read the rounded one. T rows, K columns in,
//! P maps side by side, N columns out of each.

use std::borrow::Cow;
use std::ops::Range;

use super::buffer::{Tiles, filled_pair, zeroed};
use super::gemm::bf16_rows::{Bf16Rows, elements_mut, round_row, words_of_row};
use super::gemm::lhs::{Lhs, PackedLhs};
use super::gemm::macrokernel::{RhsColumns, multiply_into};
use super::gemm::operand::Operand;
use super::gemm::pack_rhs::RhsPanels;
use super::gemm::quantize::{bf16, widen};
use super::gemm::schedule::{matmul, tile_rows};
use super::linear::{LinearGradients, Map, SUMMED_ROWS, Sizes, Wanted, add_rows, biases};
use super::math::gelu_and_slope;
use super::reduce::sum_rows;
use super::simd::{arch, vectorized};
use super::view::View;
use crate::params::Epilogue;

/// What the backward pass needs of the forward pass.
#[derive(Debug)]
pub(crate) struct Kept {
    words: Vec<u32>,
    layout: Layout,
}

/// What is kept of a row: the input, then the activation's slope. Each begins a word.
#[derive(Debug, Clone, Copy)]
struct Layout {
    /// K, if the input is kept.
    input: usize,
    /// N, if there is an activation.
    slope: usize,
}

impl Layout {
    fn width(self) -> usize {
        words_of_row(self.input) + words_of_row(self.slope)
    }

    /// The elements of the slope in a row.
    fn of_slope(self) -> Range<usize> {
        let first = 2 * words_of_row(self.input);
        first..first + self.slope
    }
}

impl Kept {
    fn rows(&self) -> Bf16Rows<'_> {
        Bf16Rows::new(&self.words, self.layout.width())
    }

    /// `[T, K]`, where it is kept.
    fn input(&self) -> Option<(&[u16], View)> {
        let columns = self.layout.input;
        (columns > 0).then(|| self.rows().columns(0..columns))
    }

    /// The slope of the activation in one row, empty where there is none.
    fn slope(&self, row: usize) -> &[u16] {
        let (elements, view) = self.rows().columns(self.layout.of_slope());
        &elements[view.start + row * view.row_stride..][..view.columns]
    }
}

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
        slope: match epilogue {
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
        let y = multiply_into(y, &rounded(x, sizes.k, kept, layout), &weights);
        vectorized(
            #[inline(always)]
            || {
                add_rows(y, &bias);
                if epilogue == Epilogue::BiasGelu {
                    gelu_keeping_slope(y, kept, layout);
                }
            },
        );
        ((y, kept), ())
    });
    (y, Kept { words, layout })
}

/// The rows of a tile packed, and kept if they are to be.
fn rounded(x: &[f32], k: usize, kept: &mut [u32], layout: Layout) -> PackedLhs {
    let rows = x.len() / k;
    let (width, mut own) = match layout.input {
        0 => (words_of_row(k), vec![0; rows * words_of_row(k)]),
        _ => (layout.width(), Vec::new()),
    };
    let words = if own.is_empty() { kept } else { &mut own[..] };
    vectorized(
        #[inline(always)]
        || {
            for (words, row) in words.chunks_exact_mut(width).zip(x.chunks_exact(k)) {
                round_row(words, row);
            }
        },
    );
    PackedLhs::pack_bf16(arch(), Bf16Rows::new(words, width).columns(0..k))
}

/// GELU in place, and its slope into what is kept.
#[inline(always)]
fn gelu_keeping_slope(y: &mut [f32], kept: &mut [u32], layout: Layout) {
    let rows = y.chunks_exact_mut(layout.slope);
    for (y, kept) in rows.zip(kept.chunks_exact_mut(layout.width())) {
        let slopes = &mut elements_mut(kept)[layout.of_slope()];
        for (y, place) in y.iter_mut().zip(slopes) {
            let (gelu, slope) = gelu_and_slope(*y);
            *y = gelu;
            *place = bf16(slope);
        }
    }
}

/// As [`linear::backward`](super::linear::backward). The sum of the gradient's rows, the bias's gradient, has single precision.
pub(crate) fn backward(
    kept: &Kept,
    weights: &[&[f32]],
    grad: &[f32],
    sizes: Sizes,
    wanted: Wanted<'_>,
) -> LinearGradients {
    let (words, bias) = rounded_gradient(kept, grad, sizes.width());
    let grad = Bf16Rows::new(&words, words_of_row(sizes.width()));
    let of_map = |(map, &[weight, bias_wanted]): (usize, &[bool; 2])| {
        let at = map * sizes.columns..(map + 1) * sizes.columns;
        let input = kept.input().filter(|_| weight);
        [
            input.map(|(x, view)| {
                let grad = Operand::Bf16(grad.columns(at.clone()));
                matmul(Lhs::Bf16((x, view.transposed())), &[grad], |_, _| ())
            }),
            bias_wanted.then(|| bias[at].to_vec()),
        ]
    };
    let input_gradient = || {
        let transposed = sizes.weight().transposed();
        let weights = weights.iter().map(|weight| transposed.of(weight));
        let grad = Lhs::Bf16(grad.columns(0..sizes.width()));
        matmul(grad, &[Operand::Rounded(weights.collect())], |_, _| ())
    };
    LinearGradients {
        x: wanted.x.then(input_gradient),
        maps: wanted.maps.iter().enumerate().map(of_map).collect(),
    }
}

/// The gradient of the product `[T, P · N]` in words, and the sum of its rows before they are rounded, within blocks and then
/// over them in order.
fn rounded_gradient(kept: &Kept, grad: &[f32], width: usize) -> (Vec<u32>, Vec<f32>) {
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
                    round_gradient(words, &mut sum, grad, kept.slope(row));
                }
            },
        );
        ((words, zeroed::<u32>(none)), sum)
    });
    (words, sum_rows(&partial, width))
}

/// One row of it: the gradient of the output times the slope, if there is one.
#[inline(always)]
fn round_gradient(words: &mut [u32], sum: &mut [f32], grad: &[f32], slope: &[u16]) {
    let places = elements_mut(words).iter_mut().zip(sum);
    if slope.is_empty() {
        for ((place, sum), &grad) in places.zip(grad) {
            *sum += grad;
            *place = bf16(grad);
        }
    } else {
        for ((place, sum), (&grad, &slope)) in places.zip(grad.iter().zip(slope)) {
            let grad = grad * widen(slope);
            *sum += grad;
            *place = bf16(grad);
        }
    }
}
