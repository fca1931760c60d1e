//! Packing the left-hand side: panels of MR rows, and of each panel its columns one after the other. M rows, K columns.

use std::ops::Range;

use pulp::bytemuck::Pod;
use pulp::{Arch, Simd, WithSimd};

use super::bf16_rows::words_of_row;
use super::blocking::mr;
use super::transpose::{SIDE, interleave};
use crate::cpu::view::View;

/// Columns of all panels that are packed together where the elements of a column are contiguous. A cache line then holds
/// elements of three panels, and that many lines stay in a first-level cache.
const NEAR: usize = 64;

/// Calls a function whose last constant parameter is the number of rows of a panel.
macro_rules! with_row_count {
    ($count:expr, $function:ident $parameters:tt $arguments:tt) => {
        with_row_count!(@ $count, $function $parameters $arguments, 1 2 3 4 5 6 7 8 9 10 11 12)
    };
    (@ $count:expr, $function:ident $parameters:tt $arguments:tt, $($rows:literal)*) => {
        match $count {
            $($rows => with_row_count!(@@ $function $parameters $rows $arguments),)*
            _ => unreachable!("no panel has so many rows"),
        }
    };
    (@@ $function:ident [$($parameter:tt),*] $rows:literal $arguments:tt) => {
        $function::<$($parameter,)* $rows> $arguments
    };
}
pub(super) use with_row_count;

/// A packed matrix `[M, K]`.
pub(crate) struct LhsPanels<E = f32> {
    rows: usize,
    columns: usize,
    panels: Vec<Range<usize>>,
    elements: Vec<E>,
}

impl<E: Pod> LhsPanels<E> {
    /// Packs a matrix for these vector registers.
    ///
    /// # Panics
    ///
    /// The matrix reaches beyond its slice, or neither its rows nor its columns are contiguous.
    pub(crate) fn pack(arch: Arch, lhs: (&[E], View)) -> Self {
        arch.dispatch(Packing(lhs))
    }

    /// Packs a matrix whose elements are converted on the way.
    ///
    /// # Panics
    ///
    /// As [`pack`](Self::pack).
    pub(super) fn pack_converted<S: Pod>(
        arch: Arch,
        lhs: (&[S], View),
        convert: impl Fn(S) -> E + Copy,
    ) -> Self {
        arch.dispatch(Converting(lhs, convert))
    }

    #[inline(always)]
    pub(super) fn of_at_most(max_rows: usize, (slice, view): (&[E], View)) -> Self {
        assert!(view.end() <= slice.len(), "a matrix beyond its slice");
        let near = if view.row_stride == 1 {
            NEAR
        } else {
            view.columns.max(1)
        };
        let mut packed = Self::zeroed(max_rows, [view.rows, view.columns]);
        for columns in blocks(view.columns, near) {
            packed.fill(
                &columns,
                #[inline(always)]
                |places, panel| {
                    let rows = view.narrow_rows(panel.clone()).narrow(columns.clone());
                    with_row_count!(panel.len(), copy[E](places, slice, rows));
                },
            );
        }
        packed
    }

    /// Some columns at a time are converted into a block that stays in a first-level cache, and packed from there.
    #[inline(always)]
    fn converted<S: Pod>(
        max_rows: usize,
        (slice, view): (&[S], View),
        convert: impl Fn(S) -> E + Copy,
    ) -> Self {
        assert!(view.end() <= slice.len(), "a matrix beyond its slice");
        let is_transposed = view.column_stride != 1;
        let turned = |view: View| match is_transposed {
            true => view.transposed(),
            false => view,
        };
        let mut packed = Self::zeroed(max_rows, [view.rows, view.columns]);
        let mut block = vec![E::zeroed(); view.rows * NEAR.min(view.columns)];
        for columns in blocks(view.columns, NEAR) {
            let lines = turned(view.narrow(columns.clone()));
            convert_lines(&mut block, slice, lines, convert);
            let part = turned(View::rows(0, lines.rows, lines.columns, lines.columns));
            packed.fill(
                &columns,
                #[inline(always)]
                |places, panel| {
                    let rows = part.narrow_rows(panel.clone());
                    with_row_count!(panel.len(), copy[E](places, &block, rows));
                },
            );
        }
        packed
    }

    /// Panels of at most `max_rows` rows, to be filled.
    fn zeroed(max_rows: usize, [rows, columns]: [usize; 2]) -> Self {
        Self {
            rows,
            columns,
            panels: panels(rows, max_rows).collect(),
            elements: vec![E::zeroed(); rows * columns],
        }
    }

    /// `write` writes these columns of some rows.
    #[inline(always)]
    fn fill(&mut self, columns: &Range<usize>, write: impl Fn(&mut [E], &Range<usize>)) {
        for panel in &self.panels {
            let first = panel.start * self.columns;
            let range = columns.start * panel.len()..columns.end * panel.len();
            let places = &mut self.elements[first + range.start..first + range.end];
            write(places, panel);
        }
    }
}

impl LhsPanels<u32> {
    /// Packs a matrix of bfloat16 with contiguous columns, of which two make a column of words.
    ///
    /// # Panics
    ///
    /// The matrix reaches beyond its slice, or its columns are not contiguous.
    pub(crate) fn join_columns(arch: Arch, lhs: (&[u16], View)) -> Self {
        arch.dispatch(Joining(lhs))
    }

    #[inline(always)]
    fn joined(max_rows: usize, (slice, view): (&[u16], View)) -> Self {
        assert!(view.end() <= slice.len(), "a matrix beyond its slice");
        assert_eq!(view.row_stride, 1, "contiguous columns");
        let mut packed = Self::zeroed(max_rows, [view.rows, words_of_row(view.columns)]);
        for words in blocks(words_of_row(view.columns), NEAR) {
            let columns = 2 * words.start..view.columns.min(2 * words.end);
            packed.fill(
                &words,
                #[inline(always)]
                |places, panel| {
                    let rows = view.narrow_rows(panel.clone()).narrow(columns.clone());
                    with_row_count!(panel.len(), join[](places, slice, rows));
                },
            );
        }
        packed
    }
}

impl<E> LhsPanels<E> {
    /// M.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// K.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The number of panels.
    pub(crate) fn count(&self) -> usize {
        self.panels.len()
    }

    /// The rows of each panel, and its elements in some columns, column by column.
    #[inline(always)]
    pub(crate) fn columns_of(
        &self,
        columns: &Range<usize>,
    ) -> impl Iterator<Item = (Range<usize>, &[E])> {
        self.panels.iter().cloned().map(move |panel| {
            let first = panel.start * self.columns;
            let range = columns.start * panel.len()..columns.end * panel.len();
            let elements = &self.elements[first + range.start..first + range.end];
            (panel, elements)
        })
    }
}

/// Ranges of consecutive rows, of about equal length and at most `max` rows each.
pub(super) fn panels(rows: usize, max: usize) -> impl Iterator<Item = Range<usize>> {
    let count = rows.div_ceil(max);
    (0..count).map(move |panel| panel * rows / count..(panel + 1) * rows / count)
}

/// Converts rows of contiguous elements, one behind the other.
#[inline(always)]
fn convert_lines<S: Pod, E>(places: &mut [E], slice: &[S], lines: View, convert: impl Fn(S) -> E) {
    assert_eq!(
        lines.column_stride, 1,
        "neither rows nor columns are contiguous"
    );
    let places = places.chunks_exact_mut(lines.columns.max(1));
    for (line, places) in (0..lines.rows).zip(places) {
        let line = &slice[lines.start + line * lines.row_stride..][..lines.columns];
        for (place, &element) in places.iter_mut().zip(line) {
            *place = convert(element);
        }
    }
}

/// Ranges of `near` consecutive columns, the last one perhaps of fewer.
fn blocks(columns: usize, near: usize) -> impl Iterator<Item = Range<usize>> {
    let starts = (0..columns).step_by(near);
    starts.map(move |start| start..columns.min(start + near))
}

struct Packing<'a, E>((&'a [E], View));

impl<E: Pod> WithSimd for Packing<'_, E> {
    type Output = LhsPanels<E>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> LhsPanels<E> {
        LhsPanels::of_at_most(mr::<S>(), self.0)
    }
}

struct Converting<'a, S, F>((&'a [S], View), F);

impl<S: Pod, E: Pod, F: Fn(S) -> E + Copy> WithSimd for Converting<'_, S, F> {
    type Output = LhsPanels<E>;

    #[inline(always)]
    fn with_simd<R: Simd>(self, _: R) -> LhsPanels<E> {
        LhsPanels::converted(mr::<R>(), self.0, self.1)
    }
}

struct Joining<'a>((&'a [u16], View));

impl WithSimd for Joining<'_> {
    type Output = LhsPanels<u32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> LhsPanels<u32> {
        LhsPanels::joined(mr::<S>(), self.0)
    }
}

/// Joins the columns of R rows two by two, with zeros for one that is missing.
#[inline(always)]
fn join<const R: usize>(places: &mut [u32], slice: &[u16], view: View) {
    let column = |column: usize| -> [u16; R] {
        let start = view.start + column * view.column_stride;
        std::array::from_fn(|row| slice[start..start + R][row])
    };
    for (pair, places) in places.as_chunks_mut::<R>().0.iter_mut().enumerate() {
        let low = column(2 * pair);
        let high = match 2 * pair + 1 < view.columns {
            true => column(2 * pair + 1),
            false => [0; R],
        };
        for (place, (low, high)) in places.iter_mut().zip(low.into_iter().zip(high)) {
            *place = u32::from(low) | u32::from(high) << 16;
        }
    }
}

/// Copies the columns of R rows, one after the other.
#[inline(always)]
fn copy<E: Pod, const R: usize>(places: &mut [E], slice: &[E], view: View) {
    let slice = &slice[view.start.min(slice.len())..];
    let columns = &mut places.as_chunks_mut::<R>().0[..view.columns];
    if view.row_stride == 1 {
        let elements = slice.chunks(view.column_stride.max(R));
        for (places, elements) in columns.iter_mut().zip(elements) {
            places.copy_from_slice(&elements[..R]);
        }
    } else {
        assert_eq!(
            view.column_stride, 1,
            "neither rows nor columns are contiguous"
        );
        let rows: [&[E]; R] =
            std::array::from_fn(|row| &slice[row * view.row_stride..][..view.columns]);
        let (squares, rest) = rows.as_chunks::<SIDE>();
        for (index, rows) in squares.iter().enumerate() {
            interleave(columns, index * SIDE, *rows, |places, elements| {
                *places = elements
            });
        }
        for (at, row) in (R - rest.len()..).zip(rest) {
            for (places, &element) in columns.iter_mut().zip(*row) {
                places[at] = element;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contiguous_rows_and_contiguous_columns_are_packed_alike() {
        let (rows, columns) = (5, 3);
        let matrix: Vec<f32> = (0..rows * columns).map(|x| x as f32).collect();
        let by_rows = View::rows(0, rows, columns, columns);
        let packed = LhsPanels::of_at_most(3, (&matrix, by_rows));
        let transposed: Vec<f32> = (0..rows * columns)
            .map(|at| matrix[at % rows * columns + at / rows])
            .collect();
        let by_columns = View::rows(0, columns, rows, rows).transposed();
        let other = LhsPanels::of_at_most(3, (&transposed, by_columns));
        assert_eq!(packed.elements, other.elements);
        let panels: Vec<_> = packed.columns_of(&(1..3)).collect();
        assert_eq!(
            panels,
            [
                (0..2, &[1.0, 4.0, 2.0, 5.0][..]),
                (2..5, &[7.0, 10.0, 13.0, 8.0, 11.0, 14.0][..]),
            ]
        );
    }

    #[test]
    fn converted_elements_are_packed_as_if_they_had_been_converted_before() {
        let (rows, columns) = (7, NEAR + 5);
        let matrix: Vec<u16> = (0..2 + (rows * columns) as u16).collect();
        let wide: Vec<f32> = matrix.iter().map(|&x| f32::from(x)).collect();
        for view in [
            View::rows(2, rows, columns, columns),
            View::rows(2, columns, rows, rows).transposed(),
        ] {
            let converted = LhsPanels::converted(3, (&matrix[..], view), f32::from);
            let packed = LhsPanels::of_at_most(3, (&wide[..], view));
            assert_eq!(converted.elements, packed.elements);
        }
        let none = View::rows(0, 0, columns, columns);
        let converted = LhsPanels::converted(3, (&matrix[..], none), f32::from);
        assert!(converted.elements.is_empty());
    }

    #[test]
    #[should_panic(expected = "beyond its slice")]
    fn a_matrix_beyond_its_slice_is_refused() {
        LhsPanels::of_at_most(4, (&[0.0; 3], View::rows(0, 2, 2, 2)));
    }

    #[test]
    #[should_panic(expected = "neither rows nor columns are contiguous")]
    fn a_matrix_without_contiguous_rows_or_columns_is_refused() {
        let view = View {
            column_stride: 2,
            ..View::rows(0, 2, 2, 4)
        };
        LhsPanels::of_at_most(4, (&[0.0; 8], view));
    }
}
