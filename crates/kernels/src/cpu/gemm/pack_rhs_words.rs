//! Packing the right-hand side in bfloat16: panels of NR columns, word after word. Elements are rounded as they are packed. K
//! rows, N columns.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::bytemuck::{self, Pod};

use super::bf16_rows::words_of_row;
use super::pack_rhs::Places;
use super::quantize::bf16;
use super::transpose::{SIDE, interleave};
use crate::cpu::view::View;

/// Rows that are packed together where the elements of a column are contiguous: whole cache lines of each column.
const NEAR: usize = 64;
/// Their words.
const NEAR_WORDS: usize = words_of_row(NEAR);

/// An element of the matrix that is packed.
pub(super) trait Element: Pod + Send + Sync {
    /// The bits of the nearest bfloat16.
    fn bits(self) -> u16;
}

impl Element for f32 {
    #[inline(always)]
    fn bits(self) -> u16 {
        bf16(self)
    }
}

impl Element for u16 {
    #[inline(always)]
    fn bits(self) -> u16 {
        self
    }
}

/// Whether matrices one below the other begin with a word each.
pub(super) fn begin_words<E>(views: &[(&[E], View)]) -> bool {
    let above = views.split_last().map_or(&[][..], |(_, above)| above);
    above.iter().all(|(_, view)| view.rows.is_multiple_of(2))
}

/// Fills panels of W columns with the first of these columns of matrices one below the other, each of which begins with a word.
/// `rows` are the words of a column. Where no columns are left it writes zeros.
#[inline(always)]
#[expect(
    unsafe_code,
    reason = "elements are written without having been zeroed before"
)]
pub(super) fn packed<'a, const W: usize, E: Element>(
    places: &'a mut [MaybeUninit<u32>],
    rows: usize,
    views: &[(&[E], View)],
    columns: Range<usize>,
) -> &'a mut [u32] {
    let (all, rest) = places.as_chunks_mut::<W>();
    assert!(rest.is_empty(), "whole panels");
    let mut before = 0;
    for &(slice, view) in views {
        let these = before..before + words_of_row(view.rows);
        for (index, panel) in all.chunks_exact_mut(rows.max(1)).enumerate() {
            let first = columns.start + index * W;
            let view = view.narrow(first..columns.end.min(first + W));
            let panel = &mut panel[these.clone()];
            match view.column_stride {
                1 => join_rows(panel, slice, view),
                _ => transpose_columns(panel, slice, view),
            }
        }
        before = these.end;
    }
    assert_eq!(before, rows, "the matrices fill the panels");
    // SAFETY: each matrix was written to all of its words of each panel, and these are all words of the panels.
    unsafe { places.assume_init_mut() }
}

/// Packs a matrix of contiguous rows, of which two make a row of words.
#[inline(always)]
fn join_rows<const W: usize, E: Element>(panel: Places<'_, u32, W>, slice: &[E], view: View) {
    let row = |row: usize| &slice[view.start + row * view.row_stride..][..view.columns];
    let zeros = [E::zeroed(); W];
    for (pair, places) in panel.iter_mut().enumerate() {
        let low = row(2 * pair);
        let high = match 2 * pair + 1 < view.rows {
            true => row(2 * pair + 1),
            false => &zeros[..view.columns],
        };
        match (low.first_chunk::<W>(), high.first_chunk::<W>()) {
            (Some(low), Some(high)) => join(places, low, high),
            _ => {
                let (places, none) = places.split_at_mut(low.len());
                join(places, low, high);
                none.fill(MaybeUninit::new(0));
            }
        }
    }
}

#[inline(always)]
fn join<E: Element>(places: &mut [MaybeUninit<u32>], low: &[E], high: &[E]) {
    for (place, (low, high)) in places.iter_mut().zip(low.iter().zip(high)) {
        place.write(u32::from(low.bits()) | u32::from(high.bits()) << 16);
    }
}

/// Packs a matrix of contiguous columns, whose words are neighbours already.
#[inline(always)]
fn transpose_columns<const W: usize, E: Element>(
    panel: Places<'_, u32, W>,
    slice: &[E],
    view: View,
) {
    assert!(
        view.row_stride == 1,
        "neither rows nor columns are contiguous"
    );
    for start in (0..view.rows).step_by(NEAR) {
        let rows = start..view.rows.min(start + NEAR);
        let places = &mut panel[start / 2..words_of_row(rows.end)];
        let count = places.len();
        for first in (0..W).step_by(SIDE) {
            let mut lines = [[0; NEAR_WORDS]; SIDE];
            for (column, line) in (first..view.columns).zip(&mut lines) {
                let at = view.start + column * view.column_stride;
                let line: &mut [u16] = bytemuck::cast_slice_mut(line);
                for (place, x) in line.iter_mut().zip(&slice[at + rows.start..at + rows.end]) {
                    *place = x.bits();
                }
            }
            let lines = lines.each_ref().map(|line| &line[..count]);
            interleave(places, first, lines, |places, words| {
                places.write_copy_of_slice(&words);
            });
        }
    }
}
