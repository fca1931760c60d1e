//! The innermost loops: R rows times one panel of columns. The sums stay in vector registers while K goes by.

use pulp::{NullaryFnOnce, Simd};

use super::dot_product::{DotProduct, WIDTH};
use super::output::{Output, OutputTile};
use super::prefetch::{CACHE_LINE, prefetch_l1, prefetch_l2, shares};

/// How often the loop over K is unrolled.
const UNROLL: usize = 4;

/// Multiplies in single precision. Meanwhile it prefetches `next`, its share of the panel that follows, and the tile's output.
pub(super) fn f32_tile<S: Simd, const V: usize, const R: usize>(
    simd: S,
    lhs: &[f32],
    (panel, next): (&[f32], &[f32]),
    tile: OutputTile<'_>,
    output: &mut Output<'_>,
) {
    simd.vectorize(F32Tile::<S, V, R> {
        simd,
        lhs: lhs.as_chunks().0,
        panel: S::as_simd_f32s(panel).0.as_chunks().0,
        next,
        tile,
        output,
    });
}

/// R rows times a panel of V registers' width.
struct F32Tile<'a, 'b, S: Simd, const V: usize, const R: usize> {
    simd: S,
    lhs: &'a [[f32; R]],
    panel: &'a [[S::f32s; V]],
    next: &'a [f32],
    tile: OutputTile<'a>,
    output: &'a mut Output<'b>,
}

impl<S: Simd, const V: usize, const R: usize> NullaryFnOnce for F32Tile<'_, '_, S, V, R> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            simd,
            lhs,
            panel,
            next,
            tile,
            output,
        } = self;
        let mut registers = [[simd.splat_f32s(0.0); V]; R];
        let (lhs, lhs_rest) = lhs.as_chunks::<UNROLL>();
        let (rhs, rhs_rest) = panel.as_chunks::<UNROLL>();
        // A little at a time, and one row of the output each: a processor has only so many requests under way.
        let mut next = shares(next, lhs.len());
        let first_sum = output.address(tile.at);
        for (row, (lhs, rhs)) in lhs.iter().zip(rhs).enumerate() {
            next.next().into_iter().for_each(prefetch_l2);
            if row < R {
                let sums = first_sum.wrapping_add(row * tile.stride);
                let lines = (0..V * S::F32_LANES).step_by(CACHE_LINE);
                lines.for_each(|column| prefetch_l1(sums.wrapping_add(column)));
            }
            for (lhs, rhs) in lhs.iter().zip(rhs) {
                multiply_add(simd, &mut registers, lhs, rhs);
            }
        }
        for (lhs, rhs) in lhs_rest.iter().zip(rhs_rest) {
            multiply_add(simd, &mut registers, lhs, rhs);
        }
        tile.store(simd, registers, output);
    }
}

/// Adds the products of one value of K.
#[inline(always)]
fn multiply_add<S: Simd, const V: usize, const R: usize>(
    simd: S,
    registers: &mut [[S::f32s; V]; R],
    lhs: &[f32; R],
    rhs: &[S::f32s; V],
) {
    for (registers, &lhs) in registers.iter_mut().zip(lhs) {
        let lhs = simd.splat_f32s(lhs);
        for (sum, &rhs) in registers.iter_mut().zip(rhs) {
            *sum = simd.mul_add_e_f32s(lhs, rhs, *sum);
        }
    }
}

/// Multiplies words by a dot-product instruction: the panel's words, the zero-point compensation, and the instruction.
pub(super) fn word_tile<S: Simd, const V: usize, const R: usize>(
    simd: S,
    lhs: &[u32],
    (panel, compensation, instruction): (&[u32], &[i32], DotProduct),
    tile: OutputTile<'_>,
    output: &mut Output<'_>,
) {
    let sums = instruction.sums::<R>(lhs.as_chunks().0, panel, compensation);
    simd.vectorize(WordStore::<S, V, R> {
        simd,
        sums: &sums,
        tile,
        output,
    });
}

/// Stores the sums of a panel of V registers' width. It is no closure: the compiler does not always compile a closure for the
/// registers in use.
struct WordStore<'a, 'b, S: Simd, const V: usize, const R: usize> {
    simd: S,
    sums: &'a [[f32; WIDTH]; R],
    tile: OutputTile<'a>,
    output: &'a mut Output<'b>,
}

impl<S: Simd, const V: usize, const R: usize> NullaryFnOnce for WordStore<'_, '_, S, V, R> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            simd,
            sums,
            tile,
            output,
        } = self;
        let mut registers = [[simd.splat_f32s(0.0); V]; R];
        for (registers, sums) in registers.iter_mut().zip(sums) {
            let (sums, _) = S::as_simd_f32s(sums);
            for (register, &sum) in registers.iter_mut().zip(sums) {
                *register = sum;
            }
        }
        tile.store(simd, registers, output);
    }
}
