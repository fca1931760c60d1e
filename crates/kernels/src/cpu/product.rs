//! Matrix products on parts of slices, through the `gemm` crate.

use std::mem::MaybeUninit;

/// A matrix within a slice: `rows × columns`, its element (i, j) at `start + i · row_stride + j · column_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) start: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
}

impl Part {
    /// Rows of `columns` elements that stand `row_stride` apart.
    pub(crate) fn rows(start: usize, rows: usize, columns: usize, row_stride: usize) -> Self {
        Self {
            start,
            rows,
            columns,
            row_stride,
            column_stride: 1,
        }
    }

    /// The same matrix with rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// The matrix and the slice that it is a part of.
    pub(crate) fn of(self, slice: &[f32]) -> (&[f32], Self) {
        (slice, self)
    }

    /// Index behind the last element.
    fn end(&self) -> usize {
        match (self.rows, self.columns) {
            (0, _) | (_, 0) => self.start,
            (rows, columns) => {
                self.start + (rows - 1) * self.row_stride + (columns - 1) * self.column_stride + 1
            }
        }
    }
}

/// What becomes of the elements that a product is written to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Write {
    /// They are replaced, and need not hold anything yet.
    Replace,
    /// The product is added to them.
    Add,
}

/// Who computes a product. The result is the same, bit for bit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The calling one.
    One,
    /// All of rayon's.
    All,
}

/// `out = factor · left · right`, on this thread.
///
/// # Panics
///
/// A matrix reaches beyond its slice, or the sizes do not fit.
pub(crate) fn product(
    (out, part): (&mut [f32], Part),
    left: (&[f32], Part),
    right: (&[f32], Part),
    factor: f32,
) {
    let out = (Place::of(out), part);
    multiply(out, left, right, factor, Write::Replace, Threads::One);
}

/// `out += left · right`.
///
/// # Panics
///
/// As [`product`].
pub(crate) fn add_product(
    (out, part): (&mut [f32], Part),
    left: (&[f32], Part),
    right: (&[f32], Part),
    threads: Threads,
) {
    let out = (Place::of(out), part);
    multiply(out, left, right, 1.0, Write::Add, threads);
}

/// `left · [right₁ | right₂ | …]`, row by row, into memory that need not hold anything yet.
///
/// # Panics
///
/// As [`product`]; or the memory is not exactly that of the result.
#[expect(unsafe_code, reason = "the products write every element")]
pub(crate) fn joined_product_into<'a>(
    out: &'a mut [MaybeUninit<f32>],
    left: (&[f32], Part),
    rights: &[(&[f32], Part)],
    threads: Threads,
) -> &'a mut [f32] {
    let rows = left.1.rows;
    let columns: usize = rights.iter().map(|(_, right)| right.columns).sum();
    assert_eq!(
        out.len(),
        rows * columns,
        "the memory is that of the result"
    );
    let mut column = 0;
    for &right in rights {
        let part = Part::rows(column, rows, right.1.columns, columns);
        let place = Place(out.as_mut_ptr().cast(), out.len());
        multiply((place, part), left, right, 1.0, Write::Replace, threads);
        column += right.1.columns;
    }
    // SAFETY: the parts cover all columns of all rows, and a product writes each element of its part.
    unsafe { out.assume_init_mut() }
}

/// Where a product goes: the first of so many elements, which are borrowed exclusively for as long as it is computed.
struct Place(*mut f32, usize);

impl Place {
    fn of(out: &mut [f32]) -> Self {
        Self(out.as_mut_ptr(), out.len())
    }
}

#[expect(
    unsafe_code,
    reason = "gemm takes pointers; every element they reach is checked to lie within its slice"
)]
fn multiply(
    (Place(out, length), o): (Place, Part),
    (left, l): (&[f32], Part),
    (right, r): (&[f32], Part),
    factor: f32,
    write: Write,
    threads: Threads,
) {
    assert!(
        o.end() <= length && l.end() <= left.len() && r.end() <= right.len(),
        "a matrix reaches beyond its slice"
    );
    assert!(
        o.rows == l.rows && l.columns == r.rows && o.columns == r.columns,
        "the sizes of the matrices do not fit"
    );
    let stride = |stride: usize| stride.cast_signed();
    let parallelism = match threads {
        Threads::All if rayon::current_num_threads() > 1 => gemm::Parallelism::Rayon(0),
        _ => gemm::Parallelism::None,
    };
    // SAFETY: the strides are not negative, so `start` is the first element that is reached and `end` lies behind the
    // last one; both are within the slices. `out` is borrowed exclusively by the caller and its elements are distinct.
    // They are read only where something is added to them, which `add_product` alone asks for, of a slice of numbers.
    unsafe {
        gemm::gemm(
            o.rows,
            o.columns,
            l.columns,
            out.add(o.start),
            stride(o.column_stride),
            stride(o.row_stride),
            write == Write::Add,
            left.as_ptr().add(l.start),
            stride(l.column_stride),
            stride(l.row_stride),
            right.as_ptr().add(r.start),
            stride(r.column_stride),
            stride(r.row_stride),
            if write == Write::Add { 1.0 } else { 0.0 },
            factor,
            false,
            false,
            false,
            parallelism,
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
