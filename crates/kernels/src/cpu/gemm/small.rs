//! Products of matrices that are too small to pack: the microkernel reads both where they lie.

use std::array::from_fn;

use pulp::{NullaryFnOnce, Simd};

use super::blocking::mr;
use super::pack_lhs::{panels, with_row_count};
use crate::cpu::view::View;

/// What becomes of the elements that are there already (BLAS: β).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Update {
    /// β = 0.
    Write,
    /// β = 1.
    Add,
}

/// `out = lhs · rhs`, or `out += lhs · rhs`, on this thread. Each element is summed in the order of K.
///
/// # Panics
///
/// A matrix reaches beyond its slice, the sizes do not fit, the elements of a row of `out` or `rhs` are not contiguous, or those of
/// `lhs` neither in a row nor in a column.
#[inline(always)]
pub(crate) fn small_matmul<S: Simd>(
    simd: S,
    out: (&mut [f32], View),
    lhs: (&[f32], View),
    rhs: (&[f32], View),
    update: Update,
) {
    simd.vectorize(SmallProduct {
        simd,
        out,
        lhs,
        rhs,
        update,
    });
}

struct SmallProduct<'a, S: Simd> {
    simd: S,
    out: (&'a mut [f32], View),
    lhs: (&'a [f32], View),
    rhs: (&'a [f32], View),
    update: Update,
}

impl<S: Simd> NullaryFnOnce for SmallProduct<'_, S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.check();
        let columns = self.out.1.columns;
        match S::F32_LANES {
            8 | 16 => {
                let whole = columns - columns % (2 * S::F32_LANES);
                let rest = self.walk::<2>(0..whole);
                match columns - whole {
                    0 => {}
                    few if few <= S::F32_LANES => drop(rest.walk::<1>(whole..columns)),
                    _ => drop(rest.walk::<2>(whole..columns)),
                }
            }
            _ => drop(self.walk::<4>(0..columns)),
        }
    }
}

impl<S: Simd> SmallProduct<'_, S> {
    fn check(&self) {
        let ((out, o), (lhs, l), (rhs, r)) = (&self.out, &self.lhs, &self.rhs);
        assert!(
            o.end() <= out.len() && l.end() <= lhs.len() && r.end() <= rhs.len(),
            "a matrix reaches beyond its slice"
        );
        assert!(
            o.rows == l.rows && l.columns == r.rows && o.columns == r.columns,
            "the sizes of the matrices do not fit"
        );
        assert!(
            o.column_stride == 1 && r.column_stride == 1,
            "the rows of the right-hand side and of the result are contiguous"
        );
        assert!(
            l.column_stride == 1 || l.row_stride == 1,
            "rows or columns of the left-hand side are contiguous"
        );
    }

    /// Computes some columns, V registers at a time.
    #[inline(always)]
    fn walk<const V: usize>(mut self, columns: std::ops::Range<usize>) -> Self {
        let (simd, width) = (self.simd, V * S::F32_LANES);
        for first in columns.clone().step_by(width) {
            let columns = first..columns.end.min(first + width);
            for rows in panels(self.out.1.rows, mr::<S>()) {
                let tile = self.tile(&rows, &columns);
                with_row_count!(rows.len(), run_tile[S, V](simd, tile));
            }
        }
        self
    }

    #[inline(always)]
    fn tile(
        &mut self,
        rows: &std::ops::Range<usize>,
        columns: &std::ops::Range<usize>,
    ) -> Tile<'_> {
        let (out, o) = &mut self.out;
        let o = o.narrow_rows(rows.clone()).narrow(columns.clone());
        let l = self.lhs.1.narrow_rows(rows.clone());
        let r = self.rhs.1.narrow(columns.clone());
        Tile {
            out: &mut out[o.start..],
            out_stride: o.row_stride,
            lhs: &self.lhs.0[l.start..],
            lhs_strides: (l.row_stride, l.column_stride),
            rhs: &self.rhs.0[r.start..],
            rhs_stride: r.row_stride,
            k: r.rows,
            columns: columns.len(),
            update: self.update,
        }
    }
}

/// Some rows times at most V registers' width of columns. Each slice begins with the tile's first element.
struct Tile<'a> {
    out: &'a mut [f32],
    out_stride: usize,
    lhs: &'a [f32],
    lhs_strides: (usize, usize),
    rhs: &'a [f32],
    rhs_stride: usize,
    k: usize,
    columns: usize,
    update: Update,
}

#[inline(always)]
fn run_tile<S: Simd, const V: usize, const R: usize>(simd: S, tile: Tile<'_>) {
    simd.vectorize(RunningTile::<S, V, R>(simd, tile));
}

struct RunningTile<'a, S: Simd, const V: usize, const R: usize>(S, Tile<'a>);

impl<S: Simd, const V: usize, const R: usize> NullaryFnOnce for RunningTile<'_, S, V, R> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self(simd, tile) = self;
        let Tile { rhs, columns, .. } = tile;
        if columns == V * S::F32_LANES {
            let load = |at: usize| {
                let (registers, _) = S::as_simd_f32s(&rhs[at..at + V * S::F32_LANES]);
                from_fn(|register| registers[register])
            };
            let registers = tile.sums::<S, V, R>(simd, load);
            tile.store(registers, |places, sums, update| {
                let (places, _) = S::as_mut_simd_f32s(&mut places[..V * S::F32_LANES]);
                for (place, sum) in places.iter_mut().zip(sums) {
                    *place = match update {
                        Update::Write => sum,
                        Update::Add => simd.add_f32s(*place, sum),
                    };
                }
            });
        } else {
            let part = |register: usize| {
                let first = columns.min(register * S::F32_LANES);
                first..columns.min(first + S::F32_LANES)
            };
            let load = |at: usize| {
                let row = &rhs[at..at + columns];
                from_fn(|register| simd.partial_load_f32s(&row[part(register)]))
            };
            let registers = tile.sums::<S, V, R>(simd, load);
            tile.store(registers, |places, sums, update| {
                for (register, sum) in sums.into_iter().enumerate() {
                    let places = &mut places[part(register)];
                    let sum = match update {
                        Update::Write => sum,
                        Update::Add => simd.add_f32s(simd.partial_load_f32s(places), sum),
                    };
                    simd.partial_store_f32s(places, sum);
                }
            });
        }
    }
}

impl Tile<'_> {
    /// The sums of all products. `load` gives the columns of a row of the right-hand side, by the index of its first element.
    #[inline(always)]
    fn sums<S: Simd, const V: usize, const R: usize>(
        &self,
        simd: S,
        load: impl Fn(usize) -> [S::f32s; V],
    ) -> [[S::f32s; V]; R] {
        let (k, lhs, (row_stride, column_stride)) = (self.k, self.lhs, self.lhs_strides);
        let mut registers = [[simd.splat_f32s(0.0); V]; R];
        if column_stride == 1 {
            let rows: [&[f32]; R] = from_fn(|row| &lhs[row * row_stride..][..k]);
            #[expect(
                clippy::needless_range_loop,
                reason = "the index is that of an element of each row, not of a row"
            )]
            for index in 0..k {
                let rhs = load(index * self.rhs_stride);
                multiply_add(simd, &mut registers, |row| rows[row][index], &rhs);
            }
        } else {
            for index in 0..k {
                let column = &lhs[index * column_stride..][..R];
                let rhs = load(index * self.rhs_stride);
                multiply_add(simd, &mut registers, |row| column[row], &rhs);
            }
        }
        registers
    }

    /// Gives each row of the tile its sums.
    #[inline(always)]
    fn store<F: Copy, const V: usize, const R: usize>(
        self,
        registers: [[F; V]; R],
        put: impl Fn(&mut [f32], [F; V], Update),
    ) {
        for (row, sums) in registers.into_iter().enumerate() {
            put(&mut self.out[row * self.out_stride..], sums, self.update);
        }
    }
}

/// Adds the products of one value of K. Each element of the left-hand side is loaded when it is multiplied: registers are few.
#[inline(always)]
fn multiply_add<S: Simd, const V: usize, const R: usize>(
    simd: S,
    registers: &mut [[S::f32s; V]; R],
    lhs: impl Fn(usize) -> f32,
    rhs: &[S::f32s; V],
) {
    for (row, registers) in registers.iter_mut().enumerate() {
        let lhs = simd.splat_f32s(lhs(row));
        for (sum, &rhs) in registers.iter_mut().zip(rhs) {
            *sum = simd.mul_add_e_f32s(lhs, rhs, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::cpu::simd::arch;
    use crate::cpu::test_data::waves;

    struct Run<'a>(
        (&'a mut [f32], View),
        (&'a [f32], View),
        (&'a [f32], View),
        Update,
    );

    impl WithSimd for Run<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self(out, lhs, rhs, update) = self;
            small_matmul(simd, out, lhs, rhs, update);
        }
    }

    fn run(out: (&mut [f32], View), lhs: (&[f32], View), rhs: (&[f32], View), update: Update) {
        arch().dispatch(Run(out, lhs, rhs, update));
    }

    #[test]
    fn matrices_within_slices_are_multiplied_and_nothing_else_is_touched() {
        let lhs = [9.0, 1.0, 2.0, 9.0, 3.0, 4.0];
        let rhs = [1.0, 2.0, 0.0, 1.0];
        let mut out = [7.0; 6];
        let l = View::rows(1, 2, 2, 3);
        let r = View::rows(0, 2, 2, 2);
        let o = View::rows(1, 2, 2, 3);
        run((&mut out, o), (&lhs, l), (&rhs, r), Update::Write);
        assert_eq!(out, [7.0, 1.0, 4.0, 7.0, 3.0, 10.0]);
        run(
            (&mut out, o),
            (&lhs, l.transposed()),
            (&rhs, r),
            Update::Add,
        );
        assert_eq!(out, [7.0, 2.0, 9.0, 7.0, 5.0, 18.0]);
    }

    #[test]
    fn sizes_need_not_be_those_of_registers() {
        for (rows, k, columns) in [(1, 1, 1), (13, 7, 19), (7, 5, 29), (25, 3, 70), (0, 4, 3)] {
            let (lhs, rhs) = (waves(rows * k, 0.0), waves(k * columns, 1.0));
            let mut out = vec![1.0; rows * columns];
            let l = View::rows(0, k, rows, rows).transposed();
            let r = View::rows(0, k, columns, columns);
            let o = View::rows(0, rows, columns, columns);
            run((&mut out, o), (&lhs, l), (&rhs, r), Update::Add);
            for (at, found) in out.into_iter().enumerate() {
                let (row, column) = (at / columns, at % columns);
                let products = (0..k).map(|k| lhs[k * rows + row] * rhs[k * columns + column]);
                let expected = 1.0 + products.sum::<f32>();
                assert!((found - expected).abs() < 1e-5, "{found} and {expected}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "beyond its slice")]
    fn a_matrix_beyond_its_slice_is_refused() {
        let view = View::rows(1, 2, 2, 2);
        run(
            (&mut [0.0; 8], view),
            (&[0.0; 4], view),
            (&[0.0; 8], view),
            Update::Write,
        );
    }

    #[test]
    #[should_panic(expected = "are contiguous")]
    fn columns_instead_of_rows_are_refused() {
        let view = View::rows(0, 2, 2, 2);
        run(
            (&mut [0.0; 4], view),
            (&[0.0; 4], view),
            (&[0.0; 4], view.transposed()),
            Update::Write,
        );
    }
}
