//! Products of matrices within slices that are too small to pack, by the `gemm` crate.

use crate::cpu::view::View;

/// `out = α · lhs · rhs`, on this thread.
///
/// # Panics
///
/// A matrix reaches beyond its slice, or the sizes do not fit.
pub(crate) fn small_matmul(
    out: (&mut [f32], View),
    lhs: (&[f32], View),
    rhs: (&[f32], View),
    alpha: f32,
) {
    matmul(out, lhs, rhs, alpha, false);
}

/// `out += α · lhs · rhs`, on this thread.
///
/// # Panics
///
/// As [`small_matmul`].
pub(crate) fn small_matmul_add(
    out: (&mut [f32], View),
    lhs: (&[f32], View),
    rhs: (&[f32], View),
    alpha: f32,
) {
    matmul(out, lhs, rhs, alpha, true);
}

#[expect(
    unsafe_code,
    reason = "gemm takes pointers; assertions hold every element that they reach within its slice"
)]
fn matmul(
    (out, o): (&mut [f32], View),
    (lhs, l): (&[f32], View),
    (rhs, r): (&[f32], View),
    alpha: f32,
    adds: bool,
) {
    assert!(
        o.end() <= out.len() && l.end() <= lhs.len() && r.end() <= rhs.len(),
        "a matrix reaches beyond its slice"
    );
    assert!(
        o.rows == l.rows && l.columns == r.rows && o.columns == r.columns,
        "the sizes of the matrices do not fit"
    );
    let stride = |stride: usize| stride.cast_signed();
    // SAFETY: the strides are not negative, so `start` is the first element that is reached and `end` follows the last one.
    // Both are within the slices. `out` is borrowed exclusively and its elements are distinct.
    unsafe {
        gemm::gemm(
            o.rows,
            o.columns,
            l.columns,
            out.as_mut_ptr().add(o.start),
            stride(o.column_stride),
            stride(o.row_stride),
            adds,
            lhs.as_ptr().add(l.start),
            stride(l.column_stride),
            stride(l.row_stride),
            rhs.as_ptr().add(r.start),
            stride(r.column_stride),
            stride(r.row_stride),
            if adds { 1.0 } else { 0.0 },
            alpha,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_within_slices_are_multiplied_and_nothing_else_is_touched() {
        let lhs = [9.0, 1.0, 2.0, 9.0, 3.0, 4.0];
        let rhs = [1.0, 0.0, 2.0, 1.0];
        let mut out = [7.0; 6];
        let l = View::rows(1, 2, 2, 3);
        let r = View::rows(0, 2, 2, 2).transposed();
        small_matmul(
            (&mut out, View::rows(1, 2, 2, 3)),
            (&lhs, l),
            (&rhs, r),
            2.0,
        );
        assert_eq!(out, [7.0, 2.0, 8.0, 7.0, 6.0, 20.0]);
        small_matmul_add(
            (&mut out, View::rows(1, 2, 2, 3)),
            (&lhs, l),
            (&rhs, r),
            -1.0,
        );
        assert_eq!(out, [7.0, 1.0, 4.0, 7.0, 3.0, 10.0]);
    }

    #[test]
    #[should_panic(expected = "beyond its slice")]
    fn a_matrix_beyond_its_slice_is_refused() {
        let view = View::rows(1, 2, 2, 2);
        small_matmul(
            (&mut [0.0; 8], view),
            (&[0.0; 4], view),
            (&[0.0; 8], view),
            1.0,
        );
    }
}
