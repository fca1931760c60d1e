//! Panels of the right-hand side in bfloat16 or int8, as words of 32 bits.

use std::ops::Range;

use super::blocking::KC;
use super::quantize::{
    Quantization, ZERO_POINT, bf16, inverse, quantize, scales_of_columns, widen,
};

/// Quantized panels.
#[derive(Debug, Clone)]
pub(crate) struct RhsWords {
    quantization: Quantization,
    width: usize,
    /// Words of a panel's column.
    rows: usize,
    words: Vec<u32>,
    /// The int8 scale of each column of all panels.
    scales: Vec<f32>,
    /// The int8 zero-point compensation, for each panel, KC rows of it and column. Sums start with it, so that they come out
    /// as without [`ZERO_POINT`].
    compensation: Vec<i32>,
}

impl RhsWords {
    /// Panels of bfloat16 with so many words in each column.
    pub(super) fn bf16(words: Vec<u32>, rows: usize, width: usize) -> Self {
        Self {
            quantization: Quantization::Bf16,
            width,
            rows,
            words,
            scales: Vec::new(),
            compensation: Vec::new(),
        }
    }

    /// Quantizes panels of `rows × width` elements each.
    pub(super) fn of(
        quantization: Quantization,
        elements: &[f32],
        rows: usize,
        width: usize,
    ) -> Self {
        let mut words = Self {
            quantization,
            width,
            rows: rows.div_ceil(quantization.per_word()),
            words: Vec::new(),
            scales: Vec::new(),
            compensation: Vec::new(),
        };
        for panel in elements.chunks_exact((rows * width).max(1)) {
            match quantization {
                Quantization::Bf16 => words.add_panel(panel, |_, x| u32::from(bf16(x))),
                Quantization::Int8 => words.add_int8_panel(panel),
            }
        }
        words
    }

    fn add_int8_panel(&mut self, panel: &[f32]) {
        let scales = scales_of_columns(panel, self.width);
        let inverses: Vec<f32> = scales.iter().copied().map(inverse).collect();
        let quantized = |column: usize, x: f32| quantize(x * inverses[column]);
        self.add_panel(panel, |column, x| {
            u32::from(quantized(column, x).cast_unsigned())
        });
        for rows in panel.chunks(KC * self.width) {
            let mut compensation = vec![0; self.width];
            for row in rows.chunks_exact(self.width) {
                for (column, (sum, &x)) in compensation.iter_mut().zip(row).enumerate() {
                    *sum -= i32::from(ZERO_POINT) * i32::from(quantized(column, x));
                }
            }
            self.compensation.extend(compensation);
        }
        self.scales.extend(scales);
    }

    /// `bits` gives those of an element in a column of the panel.
    fn add_panel(&mut self, panel: &[f32], bits: impl Fn(usize, f32) -> u32) {
        let per_word = self.quantization.per_word();
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

    pub(super) fn quantization(&self) -> Quantization {
        self.quantization
    }

    /// The words of some rows of one panel.
    pub(super) fn rows_of(&self, panel: usize, rows: &Range<usize>) -> &[u32] {
        let words = self.quantization.words_of(rows);
        let first = panel * self.rows;
        &self.words[(first + words.start) * self.width..(first + words.end) * self.width]
    }

    /// The scales of one panel's columns. Empty for bfloat16.
    pub(super) fn scales_of(&self, panel: usize) -> &[f32] {
        match self.quantization {
            Quantization::Bf16 => &[],
            Quantization::Int8 => &self.scales[panel * self.width..(panel + 1) * self.width],
        }
    }

    /// The zero-point compensation of these rows of one panel. Empty for bfloat16.
    pub(super) fn compensation_of(&self, panel: usize, rows: &Range<usize>) -> &[i32] {
        match self.quantization {
            Quantization::Bf16 => &[],
            Quantization::Int8 => {
                let blocks = (self.rows * self.quantization.per_word()).div_ceil(KC);
                let block = panel * blocks + rows.start / KC;
                &self.compensation[block * self.width..(block + 1) * self.width]
            }
        }
    }

    /// The elements of some rows of one panel in single precision, without their scales.
    #[inline(always)]
    pub(super) fn widened<'a>(
        &self,
        panel: usize,
        rows: &Range<usize>,
        room: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let words = self.rows_of(panel, rows);
        room.resize(words.len() * self.quantization.per_word(), 0.0);
        match self.width {
            32 => widen_rows::<32>(self.quantization, words, room),
            16 => widen_rows::<16>(self.quantization, words, room),
            4 => widen_rows::<4>(self.quantization, words, room),
            width => unreachable!("`blocking` makes no panels of {width} columns"),
        }
        &room[..rows.len() * self.width]
    }
}

/// Widens rows of W words. The elements of a word go into as many rows.
#[inline(always)]
fn widen_rows<const W: usize>(quantization: Quantization, words: &[u32], places: &mut [f32]) {
    let (words, _) = words.as_chunks::<W>();
    let (places, _) = places.as_chunks_mut::<W>();
    match quantization {
        Quantization::Bf16 => {
            for ([low, high], words) in places.as_chunks_mut().0.iter_mut().zip(words) {
                for ((low, high), word) in low.iter_mut().zip(high).zip(words) {
                    *low = widen(*word as u16);
                    *high = widen((word >> 16) as u16);
                }
            }
        }
        Quantization::Int8 => {
            for (places, words) in places.as_chunks_mut::<4>().0.iter_mut().zip(words) {
                for (place, places) in (0..4).zip(places) {
                    for (element, word) in places.iter_mut().zip(words) {
                        *element = ((word << (24 - 8 * place)).cast_signed() >> 24) as f32;
                    }
                }
            }
        }
    }
}
