//! Strided views of matrices within slices.

use std::ops::Range;

/// A matrix within a slice: `rows × columns`, its element (i, j) at `start + i · row_stride + j · column_stride`.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) start: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
}

impl View {
    /// Contiguous rows of `columns` elements, `row_stride` apart.
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

    /// The slice and this matrix within it.
    pub(crate) fn of(self, slice: &[f32]) -> (&[f32], Self) {
        (slice, self)
    }

    /// Some columns.
    pub(crate) fn narrow(self, columns: Range<usize>) -> Self {
        Self {
            start: self.start + columns.start * self.column_stride,
            columns: columns.len(),
            ..self
        }
    }

    /// Some rows.
    pub(crate) fn narrow_rows(self, rows: Range<usize>) -> Self {
        self.transposed().narrow(rows).transposed()
    }

    /// The index after the last element.
    pub(crate) fn end(&self) -> usize {
        match (self.rows, self.columns) {
            (0, _) | (_, 0) => self.start,
            (rows, columns) => {
                self.start + (rows - 1) * self.row_stride + (columns - 1) * self.column_stride + 1
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_ends_behind_its_last_element() {
        let view = View::rows(3, 2, 4, 5);
        assert_eq!([view.end(), view.transposed().end()], [12, 12]);
        assert_eq!(View::rows(3, 0, 4, 5).end(), 3);
    }
}
