//! Where the sums of a product go, from registers to memory.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::Simd;

use super::buffer::zeroed;

/// Where sums go.
pub(crate) enum Sums<'a> {
    /// Memory that need not hold anything yet.
    Fresh(&'a mut [MaybeUninit<f32>]),
    /// Sums of the rows of K that went before.
    Begun(&'a mut [f32]),
}

impl Sums<'_> {
    /// Where one of them lies in memory.
    #[inline(always)]
    pub(crate) fn address(&self, at: usize) -> *const f32 {
        match self {
            Self::Fresh(places) => places[at..].as_ptr().cast(),
            Self::Begun(places) => places[at..].as_ptr(),
        }
    }

    /// Whole rows of them, the first of them here, so far apart. The loops are short enough to be unrolled: an index that is
    /// known only at run time would move all registers to the stack.
    #[inline(always)]
    fn put<S: Simd, const V: usize, const R: usize>(
        &mut self,
        simd: S,
        (at, stride): (usize, usize),
        registers: [[S::f32s; V]; R],
    ) {
        let row = |row: usize| at + row * stride..at + row * stride + V * S::F32_LANES;
        match self {
            Self::Fresh(places) => {
                for (index, registers) in registers.into_iter().enumerate() {
                    let (places, _) = S::as_uninit_mut_simd_f32s(&mut places[row(index)]);
                    for (place, sum) in places.iter_mut().zip(registers) {
                        place.write(sum);
                    }
                }
            }
            Self::Begun(places) => {
                for (index, registers) in registers.into_iter().enumerate() {
                    let (places, _) = S::as_mut_simd_f32s(&mut places[row(index)]);
                    for (place, sum) in places.iter_mut().zip(registers) {
                        *place = simd.add_f32s(*place, sum);
                    }
                }
            }
        }
    }

    /// Some consecutive ones, fewer than there are in the registers.
    #[inline(always)]
    fn put_some<S: Simd, const V: usize>(
        &mut self,
        simd: S,
        at: Range<usize>,
        registers: [S::f32s; V],
    ) {
        match self {
            Self::Fresh(places) => {
                let places = zeroed(&mut places[at]).chunks_mut(S::F32_LANES);
                for (places, sum) in places.zip(registers) {
                    simd.partial_store_f32s(places, sum);
                }
            }
            Self::Begun(places) => {
                let places = places[at].chunks_mut(S::F32_LANES);
                for (places, sum) in places.zip(registers) {
                    let sum = simd.add_f32s(simd.partial_load_f32s(places), sum);
                    simd.partial_store_f32s(places, sum);
                }
            }
        }
    }
}

/// Where the sums of a block go: the first one, how far apart rows are, and how many there are in a row.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) at: usize,
    pub(crate) stride: usize,
    pub(crate) columns: usize,
    /// What they are multiplied with, of each row and each of the panel's columns, or nothing.
    pub(crate) factors: (&'a [f32], &'a [f32]),
}

impl Place<'_> {
    #[inline(always)]
    pub(crate) fn take<S: Simd, const V: usize, const R: usize>(
        self,
        simd: S,
        registers: [[S::f32s; V]; R],
        sums: &mut Sums<'_>,
    ) {
        let registers = match self.factors.0.is_empty() {
            true => registers,
            false => self.times_factors(simd, registers),
        };
        if self.columns == V * S::F32_LANES {
            return sums.put(simd, (self.at, self.stride), registers);
        }
        for (row, registers) in registers.into_iter().enumerate() {
            let at = self.at + row * self.stride;
            sums.put_some(simd, at..at + self.columns, registers);
        }
    }

    #[inline(always)]
    fn times_factors<S: Simd, const V: usize, const R: usize>(
        self,
        simd: S,
        mut registers: [[S::f32s; V]; R],
    ) -> [[S::f32s; V]; R] {
        let (of_rows, of_columns) = self.factors;
        let (of_columns, _) = S::as_simd_f32s(of_columns);
        for (registers, &of_row) in registers.iter_mut().zip(of_rows) {
            let of_row = simd.splat_f32s(of_row);
            for (sum, &of_column) in registers.iter_mut().zip(of_columns) {
                *sum = simd.mul_f32s(*sum, simd.mul_f32s(of_row, of_column));
            }
        }
        registers
    }
}
