//! The left factor of a matrix product, packed and, where the right one is kept in fewer bits, rounded as that is.

use std::ops::Range;

use pulp::Arch;
use pulp::bytemuck::{self, Pod};

use super::groups::Groups;
use super::instructions::Instruction;
use super::part::Part;
use super::short::{Short, UNSIGNED, bf16, factor_of, per_one, whole_number, widened};

/// The packed factor `[M, K]`.
pub(crate) struct Left {
    short: Option<Short>,
    columns: usize,
    elements: LeftElements,
    factors: Vec<f32>,
}

pub(crate) enum LeftElements {
    Single(Groups),
    Words(Groups<u32>, Instruction),
}

impl Left {
    /// Packs a matrix for products with panels of this kind.
    ///
    /// # Panics
    ///
    /// As [`Groups::pack`], or elements are to be rounded and rows have gaps.
    pub(crate) fn pack(arch: Arch, left: (&[f32], Part), short: Option<Short>) -> Self {
        let by = short.and_then(|short| Instruction::of(arch, short));
        Self::pack_for(by, arch, left, short)
    }

    /// Packs it for this instruction, if there is one.
    fn pack_for(
        by: Option<Instruction>,
        arch: Arch,
        left: (&[f32], Part),
        short: Option<Short>,
    ) -> Self {
        let Some(short) = short else {
            return Self::single(Groups::pack(arch, left));
        };
        let rounded = Rounding { left, short, by };
        let (elements, factors) = arch.dispatch(
            #[inline(always)]
            || match by {
                None => {
                    let rows = rounded.in_single_precision();
                    (LeftElements::Single(rounded.pack(arch, &rows.0)), rows.1)
                }
                Some(by) => {
                    let rows = rounded.in_words();
                    (LeftElements::Words(rounded.pack(arch, &rows.0), by), rows.1)
                }
            },
        );
        Self {
            short: Some(short),
            columns: left.1.columns,
            elements,
            factors,
        }
    }

    /// Elements as they are.
    pub(crate) fn single(groups: Groups) -> Self {
        Self {
            short: None,
            columns: groups.columns(),
            elements: LeftElements::Single(groups),
            factors: Vec::new(),
        }
    }

    /// M.
    pub(crate) fn rows(&self) -> usize {
        match &self.elements {
            LeftElements::Single(groups) => groups.rows(),
            LeftElements::Words(groups, _) => groups.rows(),
        }
    }

    /// K.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn short(&self) -> Option<Short> {
        self.short
    }

    pub(crate) fn elements(&self) -> &LeftElements {
        &self.elements
    }

    /// What one whole number is worth in each of these rows; nothing if elements are not whole numbers.
    pub(crate) fn factors_of(&self, rows: &Range<usize>) -> &[f32] {
        match self.factors.is_empty() {
            true => &[],
            false => &self.factors[rows.clone()],
        }
    }
}

/// A left factor that is to be rounded, for this instruction if there is one.
#[derive(Clone, Copy)]
struct Rounding<'a> {
    left: (&'a [f32], Part),
    short: Short,
    by: Option<Instruction>,
}

impl<'a> Rounding<'a> {
    #[inline(always)]
    fn rows(self) -> impl Iterator<Item = &'a [f32]> {
        let (slice, part) = self.left;
        assert_eq!(part.column_stride, 1, "rows without gaps");
        (0..part.rows).map(move |row| &slice[part.start + row * part.row_stride..][..part.columns])
    }

    /// Elements of a row in memory.
    fn columns(self) -> usize {
        let columns = self.left.1.columns;
        match self.by {
            None => columns,
            Some(_) => columns.div_ceil(self.short.per_word()),
        }
    }

    fn pack<E: Pod>(self, arch: Arch, rows: &[E]) -> Groups<E> {
        let columns = self.columns();
        let part = Part::rows(0, self.left.1.rows, columns, columns);
        Groups::pack(arch, (rows, part))
    }

    /// And the factors of the rows.
    #[inline(always)]
    fn in_single_precision(self) -> (Vec<f32>, Vec<f32>) {
        let mut elements = Vec::with_capacity(self.left.1.rows * self.columns());
        let mut factors = Vec::new();
        for row in self.rows() {
            match self.short {
                Short::Bf16 => elements.extend(row.iter().map(
                    #[inline(always)]
                    |&x| widened(bf16(x)),
                )),
                Short::Int8 => {
                    let factor = factor_of(row);
                    let per_one = per_one(factor);
                    elements.extend(row.iter().map(
                        #[inline(always)]
                        |x| f32::from(whole_number(x * per_one)),
                    ));
                    factors.push(factor);
                }
            }
        }
        (elements, factors)
    }

    /// And the factors of the rows. The first element of a word stands in its lowest bits, and that is where processors that
    /// have an instruction for words begin.
    #[inline(always)]
    fn in_words(self) -> (Vec<u32>, Vec<f32>) {
        let columns = self.columns();
        let mut words = vec![0; self.left.1.rows * columns];
        let mut factors = Vec::new();
        for (row, words) in self.rows().zip(words.chunks_exact_mut(columns.max(1))) {
            match self.short {
                Short::Bf16 => {
                    let places: &mut [u16] = bytemuck::cast_slice_mut(words);
                    for (place, &x) in places.iter_mut().zip(row) {
                        *place = bf16(x);
                    }
                }
                Short::Int8 => {
                    let factor = factor_of(row);
                    let per_one = per_one(factor);
                    let places: &mut [u8] = bytemuck::cast_slice_mut(words);
                    for (place, x) in places.iter_mut().zip(row) {
                        *place = whole_number(x * per_one).cast_unsigned() ^ UNSIGNED;
                    }
                    factors.push(factor);
                }
            }
        }
        (words, factors)
    }
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;

    use super::super::blocks::tests::numbers;
    use super::super::blocks::{Columns, product_into};
    use super::super::panels::Panels;
    use super::*;
    use crate::WeightFormat;

    const FORMATS: [WeightFormat; 2] = [WeightFormat::Bf16, WeightFormat::Int8];

    /// `x · weight` with this format, by the processor's instruction, if it has one, or without.
    fn product(
        (x, weight): (&[f32], &[f32]),
        inner: usize,
        format: WeightFormat,
        by_instruction: bool,
    ) -> Option<Vec<f32>> {
        let (rows, columns) = (x.len() / inner, weight.len() / inner);
        let panels = Panels::pack(&[(weight, Part::rows(0, inner, columns, columns))]);
        let panels = panels.in_format(format);
        let short = panels.short().expect("a short format");
        let by = match by_instruction {
            true => Some(Instruction::of(panels.arch(), short)?),
            false => None,
        };
        let x = (x, Part::rows(0, rows, inner, inner));
        let left = Left::pack_for(by, panels.arch(), x, Some(short));
        let mut out = vec![MaybeUninit::uninit(); rows * columns];
        Some(product_into(&mut out, &left, &[Columns::all(&panels)]).to_vec())
    }

    fn without_instruction(
        factors: (&[f32], &[f32]),
        inner: usize,
        format: WeightFormat,
    ) -> Vec<f32> {
        product(factors, inner, format, false).expect("it needs none")
    }

    /// None where the processor has no instruction, and says so.
    fn by_instruction(
        factors: (&[f32], &[f32]),
        inner: usize,
        format: WeightFormat,
    ) -> Option<Vec<f32>> {
        let product = product(factors, inner, format, true);
        if product.is_none() {
            eprintln!("SKIPPED: this processor has no instruction for {format:?}");
        }
        product
    }

    #[test]
    fn products_are_those_of_the_rounded_numbers() {
        for inner in [1, 3, 384, 387, 1000] {
            let (rows, columns) = (5, 37);
            let (x, weight) = (numbers(rows * inner, 0.5), numbers(inner * columns, 1.0));
            let bf16 = |x: &f32| f64::from(widened(bf16(*x)));
            let int8 = |x: f32, factor: f32| {
                f64::from(whole_number(x * per_one(factor))) * f64::from(factor)
            };
            for format in FORMATS {
                let found = without_instruction((&x, &weight), inner, format);
                for row in 0..rows {
                    let x = &x[row * inner..(row + 1) * inner];
                    let of_row = factor_of(x);
                    for column in 0..columns {
                        let of_column = weight.iter().skip(column).step_by(columns);
                        let of_column: Vec<f32> = of_column.copied().collect();
                        let factor = factor_of(&of_column);
                        let products = x.iter().zip(&of_column).map(|(x, w)| match format {
                            WeightFormat::Bf16 => bf16(x) * bf16(w),
                            _ => int8(*x, of_row) * int8(*w, factor),
                        });
                        let expected: f64 = products.sum();
                        let difference = f64::from(found[row * columns + column]) - expected;
                        let what = format!("{format:?}, {inner}: {difference} off");
                        assert!(difference.abs() < 1e-5 * inner as f64, "{what}");
                    }
                }
            }
        }
    }

    #[test]
    fn instructions_compute_what_single_precision_does() {
        for format in FORMATS {
            for (inner, rows) in [
                (1, 1),
                (2, 12),
                (3, 13),
                (7, 25),
                (384, 2),
                (385, 5),
                (1000, 3),
            ] {
                let (x, weight) = (numbers(rows * inner, 0.5), numbers(inner * 37, 1.0));
                let Some(found) = by_instruction((&x, &weight), inner, format) else {
                    continue;
                };
                let expected = without_instruction((&x, &weight), inner, format);
                if format == WeightFormat::Int8 {
                    assert_eq!(found, expected, "{inner}");
                }
                for (found, expected) in found.iter().zip(expected) {
                    let difference = (found - expected).abs();
                    let what = format!("{format:?}, {inner}: {difference} off");
                    assert!(difference <= 1e-6 * inner as f32, "{what}");
                }
            }
        }
    }

    #[test]
    fn rows_with_what_is_no_number_show_it() {
        let (inner, columns) = (9, 33);
        let weight = numbers(inner * columns, 1.0);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut x = numbers(2 * inner, 0.0);
            x[inner + 4] = bad;
            for format in FORMATS {
                let without = without_instruction((&x, &weight), inner, format);
                let with = by_instruction((&x, &weight), inner, format);
                for found in [without].into_iter().chain(with) {
                    let (good, bad) = found.split_at(columns);
                    assert!(good.iter().all(|x| x.is_finite()), "{format:?}");
                    assert!(bad.iter().all(|x| !x.is_finite()), "{format:?}");
                }
            }
        }
    }
}
