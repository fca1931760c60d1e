//! What a linear layer of training in bfloat16 keeps of its forward pass. T rows, K columns of the input, N of the activation.

use std::ops::Range;

use super::gemm::bf16_rows::{Bf16Rows, round_row, words_of_row};
use super::gemm::lhs::PackedLhs;
use super::gemm::quantize::Quantization;
use super::simd::{arch, vectorized};
use super::view::View;

/// Rows of the map's input and of the activation's input, side by side. Each begins a word.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    words: Vec<u32>,
    layout: Layout,
}

/// The elements of each in a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// K, if the input is kept.
    pub(super) input: usize,
    /// N, if there is an activation.
    pub(super) activation: usize,
}

impl Layout {
    /// Words of a row.
    pub(super) fn width(self) -> usize {
        words_of_row(self.input) + words_of_row(self.activation)
    }

    /// The words of the activation's input in a row.
    pub(super) fn activation_words(self) -> Range<usize> {
        words_of_row(self.input)..self.width()
    }

    /// The rows of a tile `[R, K]` packed as a left-hand side, and kept if they are to be.
    pub(super) fn pack_input(self, x: &[f32], k: usize, kept: &mut [u32]) -> PackedLhs {
        let rows = x.len() / k;
        let (width, mut own) = match self.input {
            0 => (words_of_row(k), vec![0; rows * words_of_row(k)]),
            _ => (self.width(), Vec::new()),
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

    /// Keeps the rows of a tile `[R, N]` of the activation's input.
    #[inline(always)]
    pub(super) fn keep_activation(self, z: &[f32], kept: &mut [u32]) {
        let rows = z.chunks_exact(self.activation);
        for (z, kept) in rows.zip(kept.chunks_exact_mut(self.width())) {
            round_row(&mut kept[self.activation_words()], z);
        }
    }
}

impl Kept {
    pub(super) fn new(words: Vec<u32>, layout: Layout) -> Self {
        Self { words, layout }
    }

    /// `[T, K]`, where it is kept.
    pub(super) fn input(&self) -> Option<(&[u16], View)> {
        let columns = self.layout.input;
        let rows = Bf16Rows::new(&self.words, self.layout.width());
        (columns > 0).then(|| rows.columns(0..columns))
    }

    /// `[T, N]`: the activation's input or what has taken its place.
    pub(super) fn activation_rows(&self) -> (&[u16], View) {
        let first = self.layout.activation_words().start * Quantization::Bf16.per_word();
        let rows = Bf16Rows::new(&self.words, self.layout.width());
        rows.columns(first..first + self.layout.activation)
    }

    /// All rows with their layout, to be changed.
    pub(super) fn rows_mut(&mut self) -> (&mut [u32], Layout) {
        (&mut self.words, self.layout)
    }

    /// The words of the activation's input in one row, none where there is no activation.
    pub(super) fn activation(&self, row: usize) -> &[u32] {
        let width = self.layout.width();
        &self.words[row * width..(row + 1) * width][self.layout.activation_words()]
    }
}
