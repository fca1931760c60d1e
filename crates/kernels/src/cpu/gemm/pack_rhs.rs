//! The right factor of a matrix product in the order in which the innermost loop reads it: panels of as many columns as that
//! loop takes at a time, row after row. K rows, N columns.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::blocks::panel_width;
use super::buffer::filled;
use super::math::{arch, vectorized};
use super::part::Part;
use super::short::{Short, Words};
use super::transpose::{SIDE, side_by_side};
use crate::WeightFormat;

/// Panels that are packed together: from each row of the factor, memory is then read some hundred bytes at a time.
const PANELS: usize = 8;
/// Rows of K that are packed together where columns have no gaps: of each column some whole lines of memory are read, however
/// many columns begin in the same set of a cache, and what is written (8 kB of 32 columns) stays in a first-level cache.
const NEAR: usize = 64;

/// The packed factor `[K, N]`, the last panel filled up with zeros.
#[derive(Debug, Clone)]
pub(crate) struct Panels {
    arch: Arch,
    width: usize,
    rows: usize,
    columns: usize,
    elements: Elements,
}

#[derive(Debug, Clone)]
enum Elements {
    F32(Vec<f32>),
    Short(Words),
}

impl Panels {
    /// Columns of a panel that is packed now.
    pub(crate) fn width_of_a_panel() -> usize {
        arch().dispatch(Width)
    }

    /// Packs matrices of equally many columns, one below the other.
    ///
    /// # Panics
    ///
    /// There is none, their columns differ in number, or one reaches beyond its slice.
    pub(crate) fn pack(parts: &[(&[f32], Part)]) -> Self {
        let arch = arch();
        let width = arch.dispatch(Width);
        let rows = parts.iter().map(|(_, part)| part.rows).sum();
        let columns = parts[0].1.columns;
        for (slice, part) in parts {
            assert_eq!(part.columns, columns, "the numbers of columns differ");
            assert!(part.end() <= slice.len(), "a matrix beyond its slice");
        }
        let pack = match width {
            32 => packed::<32>,
            16 => packed::<16>,
            _ => packed::<4>,
        };
        let some = PANELS * rows * width;
        let elements = filled(
            columns.div_ceil(width) * rows * width,
            some,
            |index, places| {
                let first = index * PANELS * width;
                vectorized(
                    #[inline(always)]
                    || pack(places, rows, parts, first..columns),
                )
            },
        );
        Self {
            arch,
            width,
            rows,
            columns,
            elements: Elements::F32(elements),
        }
    }

    /// The same with elements that take up less memory.
    pub(crate) fn in_format(self, format: WeightFormat) -> Self {
        let elements = match (self.elements, Short::of(format)) {
            (Elements::F32(elements), Some(short)) if self.rows > 0 => {
                Elements::Short(Words::of(short, &elements, self.rows, self.width))
            }
            (elements, _) => elements,
        };
        Self { elements, ..self }
    }

    /// How elements are written in fewer bits, if they are.
    pub(crate) fn short(&self) -> Option<Short> {
        self.words().map(Words::short)
    }

    /// Elements that take up less memory.
    pub(crate) fn words(&self) -> Option<&Words> {
        match &self.elements {
            Elements::F32(_) => None,
            Elements::Short(words) => Some(words),
        }
    }

    /// For which vector registers this was packed.
    pub(crate) fn arch(&self) -> Arch {
        self.arch
    }

    /// Columns of a panel.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// K.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// N.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// How many panels there are.
    pub(crate) fn count(&self) -> usize {
        self.columns.div_ceil(self.width)
    }

    /// The columns of some panels.
    pub(crate) fn columns_of(&self, panels: &Range<usize>) -> Range<usize> {
        panels.start * self.width..self.columns.min(panels.end * self.width)
    }

    /// What one whole number is worth in each of a panel's columns; nothing if elements are not whole numbers.
    pub(crate) fn factors_of(&self, panel: usize) -> &[f32] {
        self.words().map_or(&[], |words| words.factors_of(panel))
    }

    /// Some rows of one panel, written to `room` where they are not numbers of single precision; whole numbers as such.
    #[inline(always)]
    pub(crate) fn rows_of<'a>(
        &'a self,
        panel: usize,
        rows: &Range<usize>,
        room: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        match &self.elements {
            Elements::F32(elements) => &elements[self.places_of(panel, rows)],
            Elements::Short(words) => words.widened(panel, rows, room),
        }
    }

    /// Some rows of one panel as they lie in memory, if there is such a panel and they are numbers of single precision.
    #[inline(always)]
    pub(crate) fn elements_of(&self, panel: usize, rows: &Range<usize>) -> Option<&[f32]> {
        match &self.elements {
            Elements::F32(elements) => elements.get(self.places_of(panel, rows)),
            Elements::Short(_) => None,
        }
    }

    fn places_of(&self, panel: usize, rows: &Range<usize>) -> Range<usize> {
        let first = panel * self.rows;
        (first + rows.start) * self.width..(first + rows.end) * self.width
    }
}

/// Fills panels of W columns, as many as there is room for, with the first of these columns of matrices one below the
/// other, and with zeros where there are none left.
#[inline(always)]
#[expect(
    unsafe_code,
    reason = "elements are set without having been zeroed before"
)]
fn packed<'a, const W: usize>(
    places: &'a mut [MaybeUninit<f32>],
    rows: usize,
    parts: &[(&[f32], Part)],
    columns: Range<usize>,
) -> &'a mut [f32] {
    let (all, rest) = places.as_chunks_mut::<W>();
    assert!(rest.is_empty(), "whole panels");
    let mut before = 0;
    for &(slice, part) in parts {
        let these = before..before + part.rows;
        let panels = all.chunks_exact_mut(rows.max(1));
        let mut panels: Vec<_> = panels.map(|panel| &mut panel[these.clone()]).collect();
        let end = columns.start + panels.len() * W;
        let part = part.narrow(columns.start..columns.end.min(end));
        match part.column_stride {
            1 => copy_rows(&mut panels, slice, part),
            _ => copy_columns(&mut panels, slice, part),
        }
        before = these.end;
    }
    assert_eq!(before, rows, "the matrices fill the panels");
    // SAFETY: each matrix has been written to all of its rows of each panel, and these are all of the panels' rows.
    unsafe { places.assume_init_mut() }
}

/// The rows that one matrix takes up in a panel of W columns.
type Places<'a, const W: usize> = &'a mut [[MaybeUninit<f32>; W]];

/// A matrix whose rows have no gaps, and zeros in the columns that it does not have.
#[inline(always)]
fn copy_rows<const W: usize>(panels: &mut [Places<'_, W>], slice: &[f32], part: Part) {
    let (whole, last) = panels.split_at_mut(part.columns / W);
    for row in 0..part.rows {
        let start = part.start + row * part.row_stride;
        let (elements, rest) = slice[start..start + part.columns].as_chunks::<W>();
        for (panel, elements) in whole.iter_mut().zip(elements) {
            panel[row].write_copy_of_slice(elements);
        }
        for panel in &mut *last {
            let (places, none) = panel[row].split_at_mut(rest.len());
            places.write_copy_of_slice(rest);
            none.fill(MaybeUninit::new(0.0));
        }
    }
}

/// A matrix whose columns have no gaps, and zeros in those that it does not have.
#[inline(always)]
fn copy_columns<const W: usize>(panels: &mut [Places<'_, W>], slice: &[f32], part: Part) {
    assert!(
        part.row_stride == 1,
        "neither rows nor columns without gaps"
    );
    for (index, panel) in panels.iter_mut().enumerate() {
        let first = index * W;
        let columns = part.columns.min(first + W) - first;
        for start in (0..part.rows).step_by(NEAR) {
            let rows = start..part.rows.min(start + NEAR);
            let places = &mut panel[rows.clone()];
            let elements = |column: usize| {
                let at = part.start + (first + column) * part.column_stride;
                &slice[at + rows.start..at + rows.end]
            };
            let squares = columns / SIDE * SIDE;
            for column in (0..squares).step_by(SIDE) {
                let lines = std::array::from_fn(|line| elements(column + line));
                side_by_side(places, column, lines, |places, elements| {
                    places.write_copy_of_slice(&elements);
                });
            }
            for column in squares..columns {
                for (places, &element) in places.iter_mut().zip(elements(column)) {
                    places[column].write(element);
                }
            }
            for places in places {
                places[columns..].fill(MaybeUninit::new(0.0));
            }
        }
    }
}

struct Width;

impl WithSimd for Width {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        panel_width::<S>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_are_packed_one_below_the_other_panel_by_panel() {
        let columns = 3 + arch().dispatch(Width);
        let one: Vec<f32> = (0..2 * columns).map(|x| x as f32).collect();
        let transposed: Vec<f32> = (0..columns).map(|x| 1000.0 + x as f32).collect();
        let panels = Panels::pack(&[
            (&one, Part::rows(0, 2, columns, columns)),
            (&transposed, Part::rows(0, columns, 1, 1).transposed()),
        ]);
        assert_eq!([panels.rows(), panels.count()], [3, 2]);
        assert_eq!(panels.columns_of(&(1..2)), columns - 3..columns);
        let mut room = Vec::new();
        let last = panels.rows_of(1, &(1..3), &mut room);
        let (second, third) = last.split_at(panels.width());
        assert_eq!(second[..3], one[2 * columns - 3..]);
        assert_eq!(third[..3], transposed[columns - 3..]);
        assert!(second[3..].iter().chain(&third[3..]).all(|x| *x == 0.0));
    }
}
