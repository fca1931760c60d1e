//! Weights of sixteen or eight bits and what they are multiplied with, which is rounded alike: to bfloat16, or to whole numbers
//! times one factor for each row. Two or four elements of K stand in one word of 32 bits, as the instructions want them that
//! some processors have for such products ([`super::instructions`]). Where there are none, both factors are widened to single
//! precision. Sums of whole numbers are the same bit for bit either way, because single precision holds all of them.

use std::ops::Range;

use super::blocks::INNER;
use super::math::ROUND;
use crate::WeightFormat;

/// The largest whole number that is used of those with eight bits: as many negative as positive ones.
const LARGEST: f32 = 127.0;
/// What is added to whole numbers of the left factor, because the instruction wants them without a sign. For eight bits that
/// is the same as to turn the first one over.
pub(crate) const UNSIGNED: u8 = 128;

/// How elements are written in fewer bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Short {
    Bf16,
    Int8,
}

impl Short {
    /// None for single precision.
    pub(crate) fn of(format: WeightFormat) -> Option<Self> {
        match format {
            WeightFormat::F32 => None,
            WeightFormat::Bf16 => Some(Self::Bf16),
            WeightFormat::Int8 => Some(Self::Int8),
        }
    }

    /// Elements of a word.
    pub(crate) const fn per_word(self) -> usize {
        match self {
            Self::Bf16 => 2,
            Self::Int8 => 4,
        }
    }

    /// The words that hold some elements of K, the first of which begins a word.
    pub(crate) fn words_of(self, elements: &Range<usize>) -> Range<usize> {
        elements.start / self.per_word()..elements.end.div_ceil(self.per_word())
    }
}

/// Panels of the right factor in words.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    short: Short,
    width: usize,
    /// Words of a panel's column.
    rows: usize,
    words: Vec<u32>,
    /// Of whole numbers, for each column of all panels: what one is worth.
    factors: Vec<f32>,
    /// Of whole numbers, for each panel, [`INNER`] rows of it and column: what their sum of products has to begin with, so
    /// that it comes out as without [`UNSIGNED`].
    beginnings: Vec<i32>,
}

impl Words {
    /// Panels of `rows × width` elements each.
    pub(crate) fn of(short: Short, elements: &[f32], rows: usize, width: usize) -> Self {
        let mut words = Self {
            short,
            width,
            rows: rows.div_ceil(short.per_word()),
            words: Vec::new(),
            factors: Vec::new(),
            beginnings: Vec::new(),
        };
        for panel in elements.chunks_exact((rows * width).max(1)) {
            match short {
                Short::Bf16 => words.add_panel(panel, |_, x| u32::from(bf16(x))),
                Short::Int8 => words.add_whole_numbers(panel),
            }
        }
        words
    }

    fn add_whole_numbers(&mut self, panel: &[f32]) {
        let factors = factors_of_columns(panel, self.width);
        let per_one: Vec<f32> = factors.iter().copied().map(per_one).collect();
        let number = |column: usize, x: f32| whole_number(x * per_one[column]);
        self.add_panel(panel, |column, x| {
            u32::from(number(column, x).cast_unsigned())
        });
        for rows in panel.chunks(INNER * self.width) {
            let mut beginnings = vec![0; self.width];
            for row in rows.chunks_exact(self.width) {
                for (column, (beginning, &x)) in beginnings.iter_mut().zip(row).enumerate() {
                    *beginning -= i32::from(UNSIGNED) * i32::from(number(column, x));
                }
            }
            self.beginnings.extend(beginnings);
        }
        self.factors.extend(factors);
    }

    /// `bits`: of an element, given its column of the panel.
    fn add_panel(&mut self, panel: &[f32], bits: impl Fn(usize, f32) -> u32) {
        let per_word = self.short.per_word();
        for rows in panel.chunks(per_word * self.width) {
            let mut words = vec![0; self.width];
            for (place, row) in rows.chunks_exact(self.width).enumerate() {
                for (column, (word, &x)) in words.iter_mut().zip(row).enumerate() {
                    *word |= bits(column, x) << (place * 32 / per_word);
                }
            }
            self.words.extend(words);
        }
    }

    pub(crate) fn short(&self) -> Short {
        self.short
    }

    /// The words of some rows of one panel.
    pub(crate) fn rows_of(&self, panel: usize, rows: &Range<usize>) -> &[u32] {
        let words = self.short.words_of(rows);
        let first = panel * self.rows;
        &self.words[(first + words.start) * self.width..(first + words.end) * self.width]
    }

    /// The factors of one panel's columns; none of bfloat16.
    pub(crate) fn factors_of(&self, panel: usize) -> &[f32] {
        match self.short {
            Short::Bf16 => &[],
            Short::Int8 => &self.factors[panel * self.width..(panel + 1) * self.width],
        }
    }

    /// What the sums of these rows of one panel begin with; nothing of bfloat16.
    pub(crate) fn beginnings_of(&self, panel: usize, rows: &Range<usize>) -> &[i32] {
        match self.short {
            Short::Bf16 => &[],
            Short::Int8 => {
                let parts = (self.rows * self.short.per_word()).div_ceil(INNER);
                let part = panel * parts + rows.start / INNER;
                &self.beginnings[part * self.width..(part + 1) * self.width]
            }
        }
    }

    /// The elements of some rows of one panel in single precision, whole numbers as such.
    #[inline(always)]
    pub(crate) fn widened<'a>(
        &self,
        panel: usize,
        rows: &Range<usize>,
        room: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let words = self.rows_of(panel, rows);
        room.clear();
        for words in words.chunks_exact(self.width) {
            match self.short {
                Short::Bf16 => {
                    for place in 0..2 {
                        room.extend(words.iter().map(
                            #[inline(always)]
                            |word| widened((word >> (16 * place)) as u16),
                        ));
                    }
                }
                Short::Int8 => {
                    for place in 0..4 {
                        room.extend(words.iter().map(
                            #[inline(always)]
                            |word| ((word << (24 - 8 * place)).cast_signed() >> 24) as f32,
                        ));
                    }
                }
            }
        }
        room.truncate(rows.len() * self.width);
        room
    }
}

/// What one whole number is worth in each column of a panel, so that the largest element becomes [`LARGEST`]. NaN in a column
/// with an element that is no number or infinite, so that it stays visible.
fn factors_of_columns(panel: &[f32], width: usize) -> Vec<f32> {
    let mut largest = vec![0.0_f32; width];
    for row in panel.chunks_exact(width) {
        for (largest, &x) in largest.iter_mut().zip(row) {
            *largest = larger(*largest, x);
        }
    }
    largest.iter().map(|largest| largest / LARGEST).collect()
}

/// The larger absolute value, NaN if one is no number or infinite.
#[inline(always)]
fn larger(largest: f32, x: f32) -> f32 {
    let magnitude = x.abs();
    // NaN unless finite, which a comparison would drop.
    let visible = magnitude * 0.0;
    let larger = if magnitude > largest {
        magnitude
    } else {
        largest
    };
    larger + visible
}

/// Whole numbers for an element of one, if one whole number is worth so much.
#[inline(always)]
pub(crate) fn per_one(factor: f32) -> f32 {
    1.0 / factor.max(f32::MIN_POSITIVE)
}

/// The nearest one, of two equally near the even one; anything if this is no number or beyond [`LARGEST`].
#[inline(always)]
pub(crate) fn whole_number(x: f32) -> i8 {
    ((x + ROUND).to_bits() as u8).cast_signed()
}

/// What one whole number is worth, so that the largest of these elements becomes [`LARGEST`]. NaN if one of them is no number
/// or infinite.
#[inline(always)]
pub(crate) fn factor_of(row: &[f32]) -> f32 {
    let mut lanes = [0.0; 16];
    let (rows, rest) = row.as_chunks();
    for row in rows {
        let row: &[f32; 16] = row;
        for (lane, &x) in lanes.iter_mut().zip(row) {
            *lane = larger(*lane, x);
        }
    }
    let largest = lanes.iter().chain(rest).fold(
        0.0,
        #[inline(always)]
        |largest, &x| larger(largest, x),
    );
    largest / LARGEST
}

/// The upper half of the nearest number whose lower half is zero; of two equally near, the even one. NaN stays NaN.
#[inline(always)]
pub(crate) fn bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    let upper = |bits: u32| (bits >> 16) as u16;
    if x.is_nan() {
        upper(bits) | 1
    } else {
        upper(bits.wrapping_add(0x7fff + (bits >> 16 & 1)))
    }
}

#[inline(always)]
pub(crate) fn widened(upper: u16) -> f32 {
    f32::from_bits(u32::from(upper) << 16)
}

#[cfg(test)]
mod tests {
    use super::super::blocks::tests::numbers;
    use super::super::panels::Panels;
    use super::super::part::Part;
    use super::*;

    #[test]
    fn elements_are_near_and_what_is_no_number_stays_visible() {
        let (rows, columns) = (7, 33);
        let mut weight = numbers(rows * columns, 0.0);
        weight[1] = f32::NAN;
        weight[2] = f32::INFINITY;
        (0..rows).for_each(|row| weight[row * columns + 3] = 0.0);
        let panels = Panels::pack(&[(&weight, Part::rows(0, rows, columns, columns))]);
        for (format, tolerance) in [
            (WeightFormat::Bf16, 1.0 / 512.0),
            (WeightFormat::Int8, 0.501 / 127.0),
        ] {
            let panels = panels.clone().in_format(format);
            for column in 0..columns {
                let (panel, place) = (column / panels.width(), column % panels.width());
                let factor = panels.factors_of(panel).get(place).copied().unwrap_or(1.0);
                for row in 0..rows {
                    let mut room = Vec::new();
                    let word = row / 4 * 4..row + 1;
                    let found = panels.rows_of(panel, &word, &mut room);
                    let found = found[(row % 4) * panels.width() + place] * factor;
                    let expected = weight[row * columns + column];
                    if expected.is_finite() && (found.is_finite() || ![1, 2].contains(&column)) {
                        let difference = (found - expected).abs();
                        assert!(difference <= tolerance, "{format:?}: {found}, {expected}");
                    } else {
                        assert!(!found.is_finite(), "{format:?}: {found} for {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn bfloat16_rounds_to_even() {
        for (x, expected) in [
            (1.0, 0x3f80),
            (1.0 + 1.0 / 256.0, 0x3f80),
            (1.0 + 3.0 / 256.0, 0x3f82),
            (f32::MAX, 0x7f80),
            (-0.0, 0x8000),
        ] {
            assert_eq!(bf16(x), expected, "{x}");
        }
        assert!(widened(bf16(f32::NAN)).is_nan());
    }
}
