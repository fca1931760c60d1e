//! Quantization: rounding to bfloat16, and to int8 with a scale.
//!
//! Both sides of a quantized product are rounded alike. int8 has one scale for each row of the left-hand side and one for each
//! column of the right-hand side. Two bfloat16 or four int8 elements of K form one word of 32 bits, the operand of the
//! dot-product instructions of some processors. Without such an instruction both sides are widened to single precision. int8
//! sums are the same bit for bit either way, because single precision holds them exactly.

use std::ops::Range;

use crate::cpu::math::ROUND;
use crate::params::WeightFormat;

/// The largest int8 that is used. The range is symmetric: −127 to 127.
const INT8_MAX: f32 = 127.0;

/// The zero point of the left-hand side in words: the instruction takes unsigned integers there. Adding it to an int8 flips the
/// highest bit.
pub(super) const ZERO_POINT: u8 = 128;

/// A format of fewer bits than single precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantization {
    Bf16,
    Int8,
}

impl Quantization {
    /// None for single precision.
    pub(super) fn of(format: WeightFormat) -> Option<Self> {
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

    /// The words that hold some elements of K. The first element begins a word.
    pub(super) fn words_of(self, elements: &Range<usize>) -> Range<usize> {
        elements.start / self.per_word()..elements.end.div_ceil(self.per_word())
    }
}

/// The int8 scale of each column of a panel. A column with an element that is NaN or infinite has the scale NaN, so that the
/// element stays visible.
pub(super) fn scales_of_columns(panel: &[f32], width: usize) -> Vec<f32> {
    let mut largest = vec![0.0_f32; width];
    for row in panel.chunks_exact(width) {
        for (largest, &x) in largest.iter_mut().zip(row) {
            *largest = larger(*largest, x);
        }
    }
    largest.iter().map(|largest| largest / INT8_MAX).collect()
}

/// The larger absolute value, NaN if one of them is NaN or infinite.
#[inline(always)]
fn larger(largest: f32, x: f32) -> f32 {
    let magnitude = x.abs();
    // NaN unless finite. A comparison alone would drop it.
    let visible = magnitude * 0.0;
    let larger = if magnitude > largest {
        magnitude
    } else {
        largest
    };
    larger + visible
}

/// What elements of this scale are multiplied by before they are rounded.
#[inline(always)]
pub(super) fn inverse(scale: f32) -> f32 {
    1.0 / scale.max(f32::MIN_POSITIVE)
}

/// The nearest int8 of a scaled element, ties to even. The result is unspecified for NaN and beyond [`INT8_MAX`].
#[inline(always)]
pub(super) fn quantize(x: f32) -> i8 {
    ((x + ROUND).to_bits() as u8).cast_signed()
}

/// The int8 scale of these elements: the largest becomes [`INT8_MAX`]. NaN if one of them is NaN or infinite.
#[inline(always)]
pub(super) fn scale_of(row: &[f32]) -> f32 {
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
    largest / INT8_MAX
}

/// The bits of the nearest bfloat16, ties to even. NaN stays NaN.
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

/// A bfloat16 in single precision.
#[inline(always)]
pub(crate) fn widen(upper: u16) -> f32 {
    f32::from_bits(u32::from(upper) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(widen(bf16(f32::NAN)).is_nan());
        // Its upper half alone, with the lowest bit of it flipped, would be an infinity.
        assert!(widen(bf16(f32::from_bits(0x7f81_0000))).is_nan());
    }

    #[test]
    fn the_largest_element_becomes_the_largest_int8() {
        let mut elements = [0.5; 19];
        for place in [0, 15, 16, 18] {
            elements[place] = -254.0;
            assert_eq!(scale_of(&elements), 2.0, "{place}");
            elements[place] = 0.5;
        }
        assert_eq!(scales_of_columns(&[127.0, -1.0, 0.0, 254.0], 2), [1.0, 2.0]);
        assert_eq!(quantize(-254.0 * inverse(2.0)), -127);
    }
}
