//! The left factor of a matrix product in the order in which the innermost loop reads it: groups of as many rows as that loop
//! takes at a time, and of each its columns one by one. M rows, K columns.

use std::ops::Range;

use pulp::bytemuck::Pod;
use pulp::{Arch, Simd, WithSimd};

use super::part::Part;
use super::transpose::{SIDE, side_by_side};

/// The largest number of rows that a group has.
pub(crate) const MAX_ROWS: usize = 12;

/// Columns of all groups that are packed together: where rows lie next to each other, a line of memory holds elements of three
/// groups, and so many lines stay in a first-level cache.
const NEAR: usize = 64;

/// Rows of a group: as many as there are registers for sums, beside those for one row of the panel and an element of the left
/// factor.
const fn rows_of_a_group<S: Simd>() -> usize {
    match S::F32_LANES {
        16 => MAX_ROWS,
        8 => 6,
        _ => 4,
    }
}

/// Calls a function, the last of whose constant parameters is how many rows a group has.
macro_rules! with_rows {
    ($count:expr, $function:ident $parameters:tt $arguments:tt) => {
        with_rows!(@ $count, $function $parameters $arguments, 1 2 3 4 5 6 7 8 9 10 11 12)
    };
    (@ $count:expr, $function:ident $parameters:tt $arguments:tt, $($rows:literal)*) => {
        match $count {
            $($rows => with_rows!(@@ $function $parameters $rows $arguments),)*
            _ => unreachable!("no group has so many rows"),
        }
    };
    (@@ $function:ident [$($parameter:tt),*] $rows:literal $arguments:tt) => {
        $function::<$($parameter,)* $rows> $arguments
    };
}
pub(crate) use with_rows;

/// The packed factor `[M, K]`.
pub(crate) struct Groups<E = f32> {
    rows: usize,
    columns: usize,
    groups: Vec<Range<usize>>,
    elements: Vec<E>,
}

impl<E: Pod> Groups<E> {
    /// Packs a matrix for these vector registers.
    ///
    /// # Panics
    ///
    /// It reaches beyond its slice, or has neither rows nor columns without gaps.
    pub(crate) fn pack(arch: Arch, left: (&[E], Part)) -> Self {
        arch.dispatch(Packing(left))
    }

    #[inline(always)]
    pub(crate) fn of_at_most(max_rows: usize, (slice, part): (&[E], Part)) -> Self {
        assert!(part.end() <= slice.len(), "a matrix beyond its slice");
        let mut elements = vec![E::zeroed(); part.rows * part.columns];
        let groups: Vec<Range<usize>> = groups(part.rows, max_rows).collect();
        let near = if part.row_stride == 1 {
            NEAR
        } else {
            part.columns.max(1)
        };
        for start in (0..part.columns).step_by(near) {
            let columns = start..part.columns.min(start + near);
            for group in &groups {
                let first = group.start * part.columns;
                let range = columns.start * group.len()..columns.end * group.len();
                let places = &mut elements[first + range.start..first + range.end];
                let rows = part.narrow_rows(group.clone()).narrow(columns.clone());
                with_rows!(group.len(), copy[E](places, slice, rows));
            }
        }
        Self {
            rows: part.rows,
            columns: part.columns,
            groups,
            elements,
        }
    }
}

impl<E> Groups<E> {
    /// M.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// K.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// How many groups there are.
    pub(crate) fn count(&self) -> usize {
        self.groups.len()
    }

    /// The rows of each group, and some columns of them one by one.
    #[inline(always)]
    pub(crate) fn columns_of(
        &self,
        columns: &Range<usize>,
    ) -> impl Iterator<Item = (Range<usize>, &[E])> {
        self.groups.iter().cloned().map(move |group| {
            let first = group.start * self.columns;
            let range = columns.start * group.len()..columns.end * group.len();
            let elements = &self.elements[first + range.start..first + range.end];
            (group, elements)
        })
    }
}

/// Consecutive numbers of rows, all about equally many and at most `max`.
fn groups(rows: usize, max: usize) -> impl Iterator<Item = Range<usize>> {
    let count = rows.div_ceil(max);
    (0..count).map(move |group| group * rows / count..(group + 1) * rows / count)
}

struct Packing<'a, E>((&'a [E], Part));

impl<E: Pod> WithSimd for Packing<'_, E> {
    type Output = Groups<E>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Groups<E> {
        Groups::of_at_most(rows_of_a_group::<S>(), self.0)
    }
}

/// The columns of R rows, one after the other.
#[inline(always)]
fn copy<E: Pod, const R: usize>(places: &mut [E], slice: &[E], part: Part) {
    let slice = &slice[part.start.min(slice.len())..];
    let columns = &mut places.as_chunks_mut::<R>().0[..part.columns];
    if part.row_stride == 1 {
        let elements = slice.chunks(part.column_stride.max(R));
        for (places, elements) in columns.iter_mut().zip(elements) {
            places.copy_from_slice(&elements[..R]);
        }
    } else {
        assert_eq!(
            part.column_stride, 1,
            "neither rows nor columns without gaps"
        );
        let rows: [&[E]; R] =
            std::array::from_fn(|row| &slice[row * part.row_stride..][..part.columns]);
        let (squares, rest) = rows.as_chunks::<SIDE>();
        for (index, rows) in squares.iter().enumerate() {
            side_by_side(columns, index * SIDE, *rows, |places, elements| {
                *places = elements
            });
        }
        for (at, row) in (R - rest.len()..).zip(rest) {
            for (places, &element) in columns.iter_mut().zip(*row) {
                places[at] = element;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_without_gaps_are_packed_alike() {
        let (rows, columns) = (5, 3);
        let matrix: Vec<f32> = (0..rows * columns).map(|x| x as f32).collect();
        let by_rows = Part::rows(0, rows, columns, columns);
        let packed = Groups::of_at_most(3, (&matrix, by_rows));
        let transposed: Vec<f32> = (0..rows * columns)
            .map(|at| matrix[at % rows * columns + at / rows])
            .collect();
        let by_columns = Part::rows(0, columns, rows, rows).transposed();
        let other = Groups::of_at_most(3, (&transposed, by_columns));
        assert_eq!(packed.elements, other.elements);
        let groups: Vec<_> = packed.columns_of(&(1..3)).collect();
        assert_eq!(
            groups,
            [
                (0..2, &[1.0, 4.0, 2.0, 5.0][..]),
                (2..5, &[7.0, 10.0, 13.0, 8.0, 11.0, 14.0][..]),
            ]
        );
    }

    #[test]
    #[should_panic(expected = "beyond its slice")]
    fn a_matrix_beyond_its_slice_is_refused() {
        Groups::of_at_most(4, (&[0.0; 3], Part::rows(0, 2, 2, 2)));
    }

    #[test]
    #[should_panic(expected = "neither rows nor columns without gaps")]
    fn a_matrix_with_gaps_everywhere_is_refused() {
        let part = Part {
            column_stride: 2,
            ..Part::rows(0, 2, 2, 4)
        };
        Groups::of_at_most(4, (&[0.0; 8], part));
    }
}
