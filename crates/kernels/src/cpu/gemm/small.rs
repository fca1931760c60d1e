//! Small matrix products on parts of slices, through the `gemm` crate.

use super::part::Part;

/// `out = factor · left · right`, on this thread.
///
/// # Panics
///
/// A matrix reaches beyond its slice, or the sizes do not fit.
#[expect(
    unsafe_code,
    reason = "gemm takes pointers; every element they reach is checked to lie within its slice"
)]
pub(crate) fn product(
    (out, o): (&mut [f32], Part),
    (left, l): (&[f32], Part),
    (right, r): (&[f32], Part),
    factor: f32,
) {
    assert!(
        o.end() <= out.len() && l.end() <= left.len() && r.end() <= right.len(),
        "a matrix reaches beyond its slice"
    );
    assert!(
        o.rows == l.rows && l.columns == r.rows && o.columns == r.columns,
        "the sizes of the matrices do not fit"
    );
    let stride = |stride: usize| stride.cast_signed();
    // SAFETY: the strides are not negative, so `start` is the first element that is reached and `end` lies behind the
    // last one; both are within the slices. `out` is borrowed exclusively and its elements are distinct.
    unsafe {
        gemm::gemm(
            o.rows,
            o.columns,
            l.columns,
            out.as_mut_ptr().add(o.start),
            stride(o.column_stride),
            stride(o.row_stride),
            false,
            left.as_ptr().add(l.start),
            stride(l.column_stride),
            stride(l.row_stride),
            right.as_ptr().add(r.start),
            stride(r.column_stride),
            stride(r.row_stride),
            0.0,
            factor,
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
    fn parts_of_slices_are_multiplied_and_nothing_else_is_touched() {
        let left = [9.0, 1.0, 2.0, 9.0, 3.0, 4.0];
        let right = [1.0, 0.0, 2.0, 1.0];
        let mut out = [7.0; 6];
        let l = Part::rows(1, 2, 2, 3);
        let r = Part::rows(0, 2, 2, 2).transposed();
        product(
            (&mut out, Part::rows(1, 2, 2, 3)),
            (&left, l),
            (&right, r),
            2.0,
        );
        assert_eq!(out, [7.0, 2.0, 8.0, 7.0, 6.0, 20.0]);
    }

    #[test]
    #[should_panic(expected = "beyond its slice")]
    fn a_matrix_beyond_its_slice_is_refused() {
        let part = Part::rows(1, 2, 2, 2);
        product(
            (&mut [0.0; 8], part),
            (&[0.0; 4], part),
            (&[0.0; 8], part),
            1.0,
        );
    }
}
