//! How the microkernel's sums reach memory.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::Simd;

use crate::cpu::buffer::zeroed;

/// The memory of a product.
pub(super) enum Output<'a> {
    /// Memory that need not be initialised: sums are written (BLAS: β = 0).
    Write(&'a mut [MaybeUninit<f32>]),
    /// Sums over the values of K that went before: sums are added to them (BLAS: β = 1).
    Add(&'a mut [f32]),
}

impl Output<'_> {
    /// The address of one element.
    #[inline(always)]
    pub(super) fn address(&self, at: usize) -> *const f32 {
        match self {
            Self::Write(places) => places[at..].as_ptr().cast(),
            Self::Add(places) => places[at..].as_ptr(),
        }
    }

    /// Stores R whole rows of registers; the first row begins at `at`, and rows are `stride` apart. The loops have constant
    /// bounds so that the compiler unrolls them: an index known only at run time would move all registers to the stack.
    #[inline(always)]
    fn put<S: Simd, const V: usize, const R: usize>(
        &mut self,
        simd: S,
        (at, stride): (usize, usize),
        registers: [[S::f32s; V]; R],
    ) {
        let row = |row: usize| at + row * stride..at + row * stride + V * S::F32_LANES;
        match self {
            Self::Write(places) => {
                for (index, registers) in registers.into_iter().enumerate() {
                    let (places, _) = S::as_uninit_mut_simd_f32s(&mut places[row(index)]);
                    for (place, sum) in places.iter_mut().zip(registers) {
                        place.write(sum);
                    }
                }
            }
            Self::Add(places) => {
                for (index, registers) in registers.into_iter().enumerate() {
                    let (places, _) = S::as_mut_simd_f32s(&mut places[row(index)]);
                    for (place, sum) in places.iter_mut().zip(registers) {
                        *place = simd.add_f32s(*place, sum);
                    }
                }
            }
        }
    }

    /// Stores one row, which is shorter than its registers.
    #[inline(always)]
    fn put_partial<S: Simd, const V: usize>(
        &mut self,
        simd: S,
        at: Range<usize>,
        registers: [S::f32s; V],
    ) {
        match self {
            Self::Write(places) => {
                let places = zeroed(&mut places[at]).chunks_mut(S::F32_LANES);
                for (places, sum) in places.zip(registers) {
                    simd.partial_store_f32s(places, sum);
                }
            }
            Self::Add(places) => {
                let places = places[at].chunks_mut(S::F32_LANES);
                for (places, sum) in places.zip(registers) {
                    let sum = simd.add_f32s(simd.partial_load_f32s(places), sum);
                    simd.partial_store_f32s(places, sum);
                }
            }
        }
    }
}

/// The part of the output that one call of the microkernel computes.
#[derive(Clone, Copy)]
pub(super) struct OutputTile<'a> {
    /// The index of its first element.
    pub(super) at: usize,
    /// The distance of its rows.
    pub(super) stride: usize,
    pub(super) columns: usize,
    /// The int8 scales of its rows and of its columns. Empty unless elements are int8.
    pub(super) scales: (&'a [f32], &'a [f32]),
}

impl OutputTile<'_> {
    /// Scales the sums and stores them.
    #[inline(always)]
    pub(super) fn store<S: Simd, const V: usize, const R: usize>(
        self,
        simd: S,
        registers: [[S::f32s; V]; R],
        output: &mut Output<'_>,
    ) {
        let registers = match self.scales.0.is_empty() {
            true => registers,
            false => self.scaled(simd, registers),
        };
        if self.columns == V * S::F32_LANES {
            return output.put(simd, (self.at, self.stride), registers);
        }
        for (row, registers) in registers.into_iter().enumerate() {
            let at = self.at + row * self.stride;
            output.put_partial(simd, at..at + self.columns, registers);
        }
    }

    #[inline(always)]
    fn scaled<S: Simd, const V: usize, const R: usize>(
        self,
        simd: S,
        mut registers: [[S::f32s; V]; R],
    ) -> [[S::f32s; V]; R] {
        let (of_rows, of_columns) = self.scales;
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
