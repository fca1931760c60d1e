//! Matrices in bfloat16, half as large as in single precision. Their rows are whole words, so that they are an operand of the
//! dot-product instructions as they are.

use std::ops::Range;

use pulp::bytemuck;

use super::quantize::{Quantization, bf16, widen};
use crate::cpu::view::View;

/// Words of a row of so many elements. A zero fills the last one.
pub(crate) const fn words_of_row(columns: usize) -> usize {
    columns.div_ceil(Quantization::Bf16.per_word())
}

/// The elements of a row of words.
#[inline(always)]
pub(crate) fn elements(words: &[u32]) -> &[u16] {
    bytemuck::cast_slice(words)
}

/// The same, to be written.
#[inline(always)]
pub(crate) fn elements_mut(words: &mut [u32]) -> &mut [u16] {
    bytemuck::cast_slice_mut(words)
}

/// Rounds a row to the nearest bfloat16.
#[inline(always)]
pub(crate) fn round_row(places: &mut [u32], row: &[f32]) {
    round_into(elements_mut(places), row);
}

/// Rounds elements to the nearest bfloat16.
#[inline(always)]
pub(crate) fn round_into(places: &mut [u16], elements: &[f32]) {
    for (place, &x) in places.iter_mut().zip(elements) {
        *place = bf16(x);
    }
}

/// Widens elements of bfloat16.
#[inline(always)]
pub(crate) fn widen_into(places: &mut [f32], elements: &[u16]) {
    for (place, &x) in places.iter_mut().zip(elements) {
        *place = widen(x);
    }
}

/// A matrix of bfloat16.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bf16Rows<'a> {
    words: &'a [u32],
    /// Words of a row.
    width: usize,
}

impl<'a> Bf16Rows<'a> {
    /// A matrix of rows of so many words.
    pub(crate) fn new(words: &'a [u32], width: usize) -> Self {
        Self { words, width }
    }

    /// Some columns of all rows.
    pub(crate) fn columns(self, columns: Range<usize>) -> (&'a [u16], View) {
        let stride = self.width * Quantization::Bf16.per_word();
        let rows = self.words.len() / self.width.max(1);
        let view = View::rows(columns.start, rows, columns.len(), stride);
        (elements(self.words), view)
    }
}

/// The words of a matrix whose rows begin with a word and end with one of their own.
///
/// # Panics
///
/// The rows are not contiguous, or one does not begin with a word.
pub(super) fn words_of((elements, view): (&[u16], View)) -> (&[u32], View) {
    let per_word = Quantization::Bf16.per_word();
    let begins_words =
        view.start.is_multiple_of(per_word) && view.row_stride.is_multiple_of(per_word);
    assert!(view.column_stride == 1 && begins_words, "rows of words");
    let words = View::rows(
        view.start / per_word,
        view.rows,
        words_of_row(view.columns),
        view.row_stride / per_word,
    );
    (bytemuck::cast_slice(elements), words)
}
