//! Packing the right-hand side: panels of NR columns, row after row. K rows, N columns.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::bf16_rows::words_of_row;
use super::blocking::nr;
use super::dot_product::DotProduct;
use super::pack_rhs_words::{self, Element, begin_words};
use super::quantize::Quantization;
use super::rhs_words::RhsWords;
use super::transpose::{SIDE, interleave};
use crate::cpu::buffer::filled;
use crate::cpu::simd::{arch, vectorized};
use crate::cpu::view::View;
use crate::params::WeightFormat;

/// Panels that are packed together. Each row of the matrix is then read some hundred bytes at a time.
const PANELS: usize = 8;
/// Rows that are packed together where the elements of a column are contiguous. Of each column some whole cache lines are read,
/// even if many columns begin in the same set of the cache, and what is written (8 kB for 32 columns) stays in a first-level
/// cache.
const NEAR: usize = 64;

/// A packed matrix `[K, N]`. Zeros fill the last panel.
#[derive(Debug, Clone)]
pub(crate) struct RhsPanels {
    arch: Arch,
    width: usize,
    rows: usize,
    columns: usize,
    elements: Elements,
}

#[derive(Debug, Clone)]
enum Elements {
    F32(Vec<f32>),
    /// Elements of bfloat16, in single precision.
    Widened(Vec<f32>),
    Quantized(RhsWords),
}

impl RhsPanels {
    /// Columns of a panel that is packed for the vector registers in use.
    pub(super) fn width_in_use() -> usize {
        arch().dispatch(Width)
    }

    /// Packs matrices of equally many columns, one below the other.
    ///
    /// # Panics
    ///
    /// There is no matrix, their columns differ in number, or one reaches beyond its slice.
    pub(crate) fn pack(views: &[(&[f32], View)]) -> Self {
        let shape = Self::shape_of(views);
        let elements = shape.filled(
            shape.rows,
            #[inline(always)]
            |places, columns| match shape.width {
                32 => packed::<32>(places, shape.rows, views, columns),
                16 => packed::<16>(places, shape.rows, views, columns),
                _ => packed::<4>(places, shape.rows, views, columns),
            },
        );
        shape.with(Elements::F32(elements))
    }

    /// The same, rounded to bfloat16 on the way.
    ///
    /// # Panics
    ///
    /// As [`pack`](Self::pack).
    pub(crate) fn pack_rounded(views: &[(&[f32], View)]) -> Self {
        match begin_words(views) {
            true => Self::pack_words(views),
            false => Self::pack(views).in_format(WeightFormat::Bf16),
        }
    }

    /// Packs a matrix of bfloat16.
    ///
    /// # Panics
    ///
    /// The matrix reaches beyond its slice.
    pub(crate) fn pack_bf16(view: (&[u16], View)) -> Self {
        Self::pack_words(&[view])
    }

    fn pack_words<E: Element>(views: &[(&[E], View)]) -> Self {
        let shape = Self::shape_of(views);
        let rows = words_of_row(shape.rows);
        let words = shape.filled(
            rows,
            #[inline(always)]
            |places, columns| match shape.width {
                32 => pack_rhs_words::packed::<32, E>(places, rows, views, columns),
                16 => pack_rhs_words::packed::<16, E>(places, rows, views, columns),
                _ => pack_rhs_words::packed::<4, E>(places, rows, views, columns),
            },
        );
        shape.with(Elements::Quantized(RhsWords::bf16(
            words,
            rows,
            shape.width,
        )))
    }

    fn shape_of<E>(views: &[(&[E], View)]) -> Shape {
        let arch = arch();
        let columns = views[0].1.columns;
        for (slice, view) in views {
            assert_eq!(view.columns, columns, "equally many columns");
            assert!(view.end() <= slice.len(), "a matrix beyond its slice");
        }
        Shape {
            arch,
            width: arch.dispatch(Width),
            rows: views.iter().map(|(_, view)| view.rows).sum(),
            columns,
        }
    }

    /// The panels in this format.
    pub(crate) fn in_format(self, format: WeightFormat) -> Self {
        let elements = match (self.elements, Quantization::of(format)) {
            (Elements::F32(elements), Some(quantization)) if self.rows > 0 => {
                let words = RhsWords::of(quantization, &elements, self.rows, self.width);
                Elements::Quantized(words)
            }
            (elements, _) => elements,
        };
        Self { elements, ..self }
    }

    /// Panels of bfloat16 in single precision, where no instruction multiplies them as they are: products would widen them for
    /// each tile of rows anew.
    pub(crate) fn widened_without_instruction(self) -> Self {
        let Elements::Quantized(words) = &self.elements else {
            return self;
        };
        let is_bf16 = words.quantization() == Quantization::Bf16;
        if !is_bf16 || DotProduct::of(self.arch, Quantization::Bf16).is_some() {
            return self;
        }
        let (panel, all) = (self.rows * self.width, 0..self.rows);
        let widened = filled(self.count() * panel, panel, |index, places| {
            let mut room = Vec::new();
            let widened = vectorized(
                #[inline(always)]
                || words.widened(index, &all, &mut room),
            );
            places.write_copy_of_slice(widened)
        });
        Self {
            elements: Elements::Widened(widened),
            ..self
        }
    }

    /// None for single precision.
    pub(crate) fn quantization(&self) -> Option<Quantization> {
        match &self.elements {
            Elements::F32(_) => None,
            Elements::Widened(_) => Some(Quantization::Bf16),
            Elements::Quantized(words) => Some(words.quantization()),
        }
    }

    /// Quantized elements, unless they are widened.
    pub(super) fn words(&self) -> Option<&RhsWords> {
        match &self.elements {
            Elements::F32(_) | Elements::Widened(_) => None,
            Elements::Quantized(words) => Some(words),
        }
    }

    /// The vector registers that this was packed for.
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

    /// The number of panels.
    pub(crate) fn count(&self) -> usize {
        self.columns.div_ceil(self.width)
    }

    /// The columns of some panels.
    pub(crate) fn columns_of(&self, panels: &Range<usize>) -> Range<usize> {
        panels.start * self.width..self.columns.min(panels.end * self.width)
    }

    /// The int8 scale of each of a panel's columns. Empty unless elements are int8.
    pub(super) fn scales_of(&self, panel: usize) -> &[f32] {
        self.words().map_or(&[], |words| words.scales_of(panel))
    }

    /// Some rows of one panel in single precision. Quantized elements are widened into `room`, without their scales.
    #[inline(always)]
    pub(crate) fn rows_of<'a>(
        &'a self,
        panel: usize,
        rows: &Range<usize>,
        room: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        match &self.elements {
            Elements::F32(elements) | Elements::Widened(elements) => {
                &elements[self.places_of(panel, rows)]
            }
            Elements::Quantized(words) => words.widened(panel, rows, room),
        }
    }

    /// Some rows of one panel, if there is such a panel and it has single precision.
    #[inline(always)]
    pub(crate) fn elements_of(&self, panel: usize, rows: &Range<usize>) -> Option<&[f32]> {
        match &self.elements {
            Elements::F32(elements) | Elements::Widened(elements) => {
                elements.get(self.places_of(panel, rows))
            }
            Elements::Quantized(_) => None,
        }
    }

    fn places_of(&self, panel: usize, rows: &Range<usize>) -> Range<usize> {
        let first = panel * self.rows;
        (first + rows.start) * self.width..(first + rows.end) * self.width
    }
}

/// The registers and sizes of a matrix that is packed.
#[derive(Clone, Copy)]
struct Shape {
    arch: Arch,
    width: usize,
    rows: usize,
    columns: usize,
}

impl Shape {
    /// All panels, each of so many `rows` of elements. `pack` fills some panels with the first of these columns.
    fn filled<E: Send>(
        self,
        rows: usize,
        pack: impl for<'a> Fn(&'a mut [MaybeUninit<E>], Range<usize>) -> &'a mut [E] + Sync,
    ) -> Vec<E> {
        let panel = rows * self.width;
        let panels = self.columns.div_ceil(self.width);
        filled(panels * panel, PANELS * panel, |index, places| {
            let first = index * PANELS * self.width;
            vectorized(
                #[inline(always)]
                || pack(places, first..self.columns),
            )
        })
    }

    fn with(self, elements: Elements) -> RhsPanels {
        RhsPanels {
            arch: self.arch,
            width: self.width,
            rows: self.rows,
            columns: self.columns,
            elements,
        }
    }
}

/// Fills panels of W columns with the first of these columns of matrices one below the other. Where no columns are left it
/// writes zeros.
#[inline(always)]
#[expect(
    unsafe_code,
    reason = "elements are written without having been zeroed before"
)]
fn packed<'a, const W: usize>(
    places: &'a mut [MaybeUninit<f32>],
    rows: usize,
    views: &[(&[f32], View)],
    columns: Range<usize>,
) -> &'a mut [f32] {
    let (all, rest) = places.as_chunks_mut::<W>();
    assert!(rest.is_empty(), "whole panels");
    let mut before = 0;
    for &(slice, view) in views {
        let these = before..before + view.rows;
        let panels = all.chunks_exact_mut(rows.max(1));
        let mut panels: Vec<_> = panels.map(|panel| &mut panel[these.clone()]).collect();
        let end = columns.start + panels.len() * W;
        let view = view.narrow(columns.start..columns.end.min(end));
        match view.column_stride {
            1 => copy_rows(&mut panels, slice, view),
            _ => copy_columns(&mut panels, slice, view),
        }
        before = these.end;
    }
    assert_eq!(before, rows, "the matrices fill the panels");
    // SAFETY: each matrix was written to all of its rows of each panel, and these are all rows of the panels.
    unsafe { places.assume_init_mut() }
}

/// The rows of one matrix in a panel of W columns.
pub(super) type Places<'a, E, const W: usize> = &'a mut [[MaybeUninit<E>; W]];

/// Packs a matrix of contiguous rows, with zeros in the columns that it does not have.
#[inline(always)]
fn copy_rows<const W: usize>(panels: &mut [Places<'_, f32, W>], slice: &[f32], view: View) {
    let (whole, last) = panels.split_at_mut(view.columns / W);
    for row in 0..view.rows {
        let start = view.start + row * view.row_stride;
        let (elements, rest) = slice[start..start + view.columns].as_chunks::<W>();
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

/// Packs a matrix of contiguous columns, with zeros in those that it does not have.
#[inline(always)]
fn copy_columns<const W: usize>(panels: &mut [Places<'_, f32, W>], slice: &[f32], view: View) {
    assert!(
        view.row_stride == 1,
        "neither rows nor columns are contiguous"
    );
    for (index, panel) in panels.iter_mut().enumerate() {
        let first = index * W;
        let columns = view.columns.min(first + W) - first;
        for start in (0..view.rows).step_by(NEAR) {
            let rows = start..view.rows.min(start + NEAR);
            let places = &mut panel[rows.clone()];
            let elements = |column: usize| {
                let at = view.start + (first + column) * view.column_stride;
                &slice[at + rows.start..at + rows.end]
            };
            let squares = columns / SIDE * SIDE;
            for column in (0..squares).step_by(SIDE) {
                let lines = std::array::from_fn(|line| elements(column + line));
                interleave(places, column, lines, |places, elements| {
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
        nr::<S>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_without_rows_stays_in_single_precision() {
        let panels = RhsPanels::pack(&[(&[], View::rows(0, 0, 5, 5))]);
        let panels = panels.in_format(WeightFormat::Int8);
        assert_eq!(panels.quantization(), None);
    }

    #[test]
    fn matrices_are_packed_one_below_the_other_panel_by_panel() {
        let columns = 3 + arch().dispatch(Width);
        let one: Vec<f32> = (0..2 * columns).map(|x| x as f32).collect();
        let transposed: Vec<f32> = (0..columns).map(|x| 1000.0 + x as f32).collect();
        let panels = RhsPanels::pack(&[
            (&one, View::rows(0, 2, columns, columns)),
            (&transposed, View::rows(0, columns, 1, 1).transposed()),
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
