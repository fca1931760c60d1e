use bert_kernels::{PackedProduct, WeightFormat};
use gemm::Parallelism;

use super::workload::{Product, Transposed};

/// The factors of one product and room for its result.
pub(crate) struct Operands {
    left: Vec<f32>,
    right: Vec<f32>,
    out: Vec<f32>,
}

impl Operands {
    /// Small numbers of both signs, which neither overflow nor become denormal.
    pub(crate) fn of(product: &Product) -> Self {
        let values = |length: usize| (0..length).map(|i| (i % 13) as f32 / 16.0 - 0.4);
        Self {
            left: values(product.rows * product.inner).collect(),
            right: values(product.inner * product.columns).collect(),
            out: vec![0.0; product.rows * product.columns],
        }
    }

    /// The same factors packed in a format.
    pub(crate) fn packed(product: &Product, format: WeightFormat) -> Option<PackedProduct> {
        let Self { left, right, .. } = Self::of(product);
        let sizes = [product.rows, product.inner, product.columns];
        PackedProduct::pack([&left, &right], sizes, format)
    }

    /// `out = left · right`.
    ///
    /// # Panics
    ///
    /// These are the operands of a product of another shape.
    #[expect(
        unsafe_code,
        reason = "gemm takes pointers; the lengths of the three buffers are checked"
    )]
    pub(crate) fn multiply(&mut self, product: &Product, parallelism: Parallelism) {
        let [m, k, n] = [product.rows, product.inner, product.columns];
        assert_eq!(
            [self.left.len(), self.right.len(), self.out.len()],
            [m * k, k * n, m * n],
            "operands of another product"
        );
        let [left, right] = match product.transposed {
            Transposed::Neither => [by_rows(k), by_rows(n)],
            Transposed::Left => [by_columns(m), by_rows(n)],
            Transposed::Right => [by_rows(k), by_columns(k)],
        };
        let out = by_rows(n);
        // SAFETY: with these strides the elements of an r × c matrix are exactly the first r · c of its buffer, which the
        // assertion says are there; `out` is borrowed exclusively.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                self.out.as_mut_ptr(),
                out.column,
                out.row,
                false,
                self.left.as_ptr(),
                left.column,
                left.row,
                self.right.as_ptr(),
                right.column,
                right.row,
                0.0_f32,
                1.0_f32,
                false,
                false,
                false,
                parallelism,
            );
        }
    }
}

/// How far apart neighbours are in memory.
struct Strides {
    row: isize,
    column: isize,
}

fn by_rows(columns: usize) -> Strides {
    Strides {
        row: columns.cast_signed(),
        column: 1,
    }
}

fn by_columns(rows: usize) -> Strides {
    Strides {
        row: 1,
        column: rows.cast_signed(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::workload::Spread;
    use super::*;

    #[test]
    fn products_are_right_whichever_factor_is_transposed() {
        // [1 2; 3 4; 5 6] · [7 8; 9 10]
        let expected = [25.0, 28.0, 57.0, 64.0, 89.0, 100.0];
        let (left, left_transposed) = ([1., 2., 3., 4., 5., 6.], [1., 3., 5., 2., 4., 6.]);
        let (right, right_transposed) = ([7., 8., 9., 10.], [7., 9., 8., 10.]);
        for (transposed, left, right) in [
            (Transposed::Neither, left, right),
            (Transposed::Left, left_transposed, right),
            (Transposed::Right, left, right_transposed),
        ] {
            let product = Product {
                count: 1,
                rows: 3,
                inner: 2,
                columns: 2,
                transposed,
                spread: Spread::Within,
            };
            let mut operands = Operands::of(&product);
            operands.left = left.to_vec();
            operands.right = right.to_vec();
            operands.multiply(&product, Parallelism::None);
            assert_eq!(operands.out, expected, "{transposed:?}");
        }
    }
}
