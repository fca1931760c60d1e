//! The inner loops of matrix products: a few rows times one panel of columns, whose sums stay in vector registers while K
//! goes by. Each element is summed up in the order of K alone, so that it is the same bit for bit whatever else is
//! multiplied with it, however the work is shared out.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{NullaryFnOnce, Simd, WithSimd};

use super::panels::Panels;
use super::part::Part;

/// Rows of K at a time: with them a panel fits in a first-level cache (24 kB of 16 columns) and the rows of a tile in a
/// second-level one.
const INNER: usize = 384;

/// Columns of a panel: two registers where these are wide, four where they are narrow or the compiler has to see to it.
pub(crate) const fn panel_width<S: Simd>() -> usize {
    match S::F32_LANES {
        16 => 32,
        8 => 16,
        4 => 16,
        _ => 4,
    }
}

/// The largest number of rows that a block has, and of elements.
const MAX_ROWS: usize = 12;
const MAX_SUMS: usize = MAX_ROWS * 32;

/// Some columns of a packed factor.
#[derive(Debug, Clone)]
pub(crate) struct Columns<'a> {
    pub(crate) panels: &'a Panels,
    /// The numbers of their panels.
    pub(crate) range: Range<usize>,
}

impl<'a> Columns<'a> {
    /// All of them.
    pub(crate) fn all(panels: &'a Panels) -> Self {
        Self {
            panels,
            range: 0..panels.count(),
        }
    }

    /// Some of them, whole panels but for the last one.
    ///
    /// # Panics
    ///
    /// They are not.
    pub(crate) fn some(panels: &'a Panels, columns: &Range<usize>) -> Self {
        let width = panels.width();
        let range = columns.start / width..columns.end.div_ceil(width);
        assert_eq!(&panels.columns_of(&range), columns, "whole panels");
        Self { panels, range }
    }

    /// Which ones.
    pub(crate) fn range(&self) -> Range<usize> {
        self.panels.columns_of(&self.range)
    }
}

/// `left · [right₁ | right₂ | …]`, row by row, into memory that need not hold anything yet. On this thread.
///
/// # Panics
///
/// The memory is not exactly that of the result, sizes do not fit, the left factor reaches beyond its slice or has
/// neither rows nor columns without gaps.
#[expect(unsafe_code, reason = "the first pass writes every element")]
pub(crate) fn product_into<'a>(
    out: &'a mut [MaybeUninit<f32>],
    (left, part): (&[f32], Part),
    rights: &[Columns<'_>],
) -> &'a mut [f32] {
    let width: usize = rights.iter().map(|right| right.range().len()).sum();
    assert_eq!(out.len(), part.rows * width, "the memory of the result");
    assert!(part.end() <= left.len(), "a matrix beyond its slice");
    for right in rights {
        assert_eq!(part.columns, right.panels.rows(), "the sizes do not fit");
    }
    let pass = |inner| Pass {
        left,
        part,
        rights,
        inner,
    };
    pass(0..part.columns.min(INNER)).run(|row, column, sums| {
        out[row * width + column..][..sums.len()].write_copy_of_slice(sums);
    });
    // SAFETY: the panels cover all columns, the groups all rows, and a pass hands over all of their elements.
    let out = unsafe { out.assume_init_mut() };
    for start in (INNER..part.columns).step_by(INNER) {
        pass(start..part.columns.min(start + INNER)).run(|row, column, sums| {
            let places = &mut out[row * width + column..][..sums.len()];
            for (place, sum) in places.iter_mut().zip(sums) {
                *place += sum;
            }
        });
    }
    out
}

/// The part of a product that some rows of K contribute.
struct Pass<'a> {
    left: &'a [f32],
    part: Part,
    rights: &'a [Columns<'a>],
    inner: Range<usize>,
}

impl<'a> Pass<'a> {
    /// Hands over row, column and the sums that belong there and right of it.
    fn run(self, write: impl FnMut(usize, usize, &[f32])) {
        if let Some(right) = self.rights.first() {
            right.panels.arch().dispatch(Running(self, write));
        }
    }

    #[inline(always)]
    fn walk<S: Simd, const V: usize>(
        &self,
        simd: S,
        max_rows: usize,
        mut write: impl FnMut(usize, usize, &[f32]),
    ) {
        let left = Left::new(self, max_rows);
        let mut sums = [0.0; MAX_SUMS];
        let mut room = Vec::new();
        let mut first_column = 0;
        for right in self.rights {
            for panel in right.range.clone() {
                let columns = right.panels.columns_of(&(panel..panel + 1)).len();
                let elements = right.panels.rows_of(panel, &self.inner, &mut room);
                for group in groups(self.part.rows, max_rows) {
                    left.block::<S, V>(simd, &group, elements, &mut sums);
                    let width = right.panels.width();
                    for (row, sums) in group.zip(sums.chunks_exact(width)) {
                        write(row, first_column, &sums[..columns]);
                    }
                }
                first_column += columns;
            }
        }
    }
}

struct Running<'a, W>(Pass<'a>, W);

impl<W: FnMut(usize, usize, &[f32])> WithSimd for Running<'_, W> {
    type Output = ();

    /// As many sums as there are registers for, beside those for one row of the panel and an element of the left factor.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self(pass, write) = self;
        match S::F32_LANES {
            16 => pass.walk::<S, 2>(simd, MAX_ROWS, write),
            8 => pass.walk::<S, 2>(simd, 6, write),
            _ => pass.walk::<S, 4>(simd, 4, write),
        }
    }
}

/// Consecutive numbers of rows, all about equally many and at most `max`.
fn groups(rows: usize, max: usize) -> impl Iterator<Item = Range<usize>> {
    let count = rows.div_ceil(max);
    (0..count).map(move |group| group * rows / count..(group + 1) * rows / count)
}

/// Where the rows of the left factor are read.
enum Left<'a> {
    /// Where they are: the first element that counts, and how far apart they stand.
    Rows(&'a [f32], usize),
    /// A group of rows after the other, and of each the columns one by one.
    Groups(Vec<f32>),
}

impl<'a> Left<'a> {
    fn new(pass: &Pass<'a>, max_rows: usize) -> Self {
        let Part {
            start,
            rows,
            row_stride,
            column_stride,
            ..
        } = pass.part;
        let first = start + pass.inner.start * column_stride;
        if column_stride == 1 {
            return Self::Rows(&pass.left[first.min(pass.left.len())..], row_stride);
        }
        assert_eq!(row_stride, 1, "neither rows nor columns without gaps");
        let mut elements = Vec::with_capacity(rows * pass.inner.len());
        for group in groups(rows, max_rows) {
            for column in 0..pass.inner.len() {
                let start = first + column * column_stride;
                elements.extend_from_slice(&pass.left[start + group.start..start + group.end]);
            }
        }
        Self::Groups(elements)
    }

    fn block<S: Simd, const V: usize>(
        &self,
        simd: S,
        rows: &Range<usize>,
        panel: &[f32],
        sums: &mut [f32],
    ) {
        macro_rules! of_so_many_rows {
            ($($count:literal)*) => {
                match rows.len() {
                    $($count => self.block_of::<S, V, $count>(simd, rows.start, panel, sums),)*
                    _ => unreachable!("a group has from one to {MAX_ROWS} rows"),
                }
            };
        }
        of_so_many_rows!(1 2 3 4 5 6 7 8 9 10 11 12);
    }

    fn block_of<S: Simd, const V: usize, const R: usize>(
        &self,
        simd: S,
        first: usize,
        panel: &[f32],
        sums: &mut [f32],
    ) {
        let (panel, _) = S::as_simd_f32s(panel);
        let inner = panel.len() / V;
        match self {
            Self::Rows(left, stride) => simd.vectorize(Block::<S, _, V, R> {
                simd,
                left: std::array::from_fn::<_, R, _>(|row| {
                    &left[(first + row) * stride..][..inner]
                }),
                panel,
                sums,
            }),
            Self::Groups(left) => simd.vectorize(Block::<S, _, V, R> {
                simd,
                left: &left[first * inner..].as_chunks::<R>().0[..inner],
                panel,
                sums,
            }),
        }
    }
}

/// R rows of a left factor.
trait Rows<const R: usize> {
    /// How many columns there are.
    fn inner(&self) -> usize;

    fn at(&self, row: usize, column: usize) -> f32;
}

impl<const R: usize> Rows<R> for [&[f32]; R] {
    #[inline(always)]
    fn inner(&self) -> usize {
        let inner = self[0].len();
        assert!(self.iter().all(|row| row.len() == inner));
        inner
    }

    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> f32 {
        self[row][column]
    }
}

impl<const R: usize> Rows<R> for &[[f32; R]] {
    #[inline(always)]
    fn inner(&self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> f32 {
        self[column][row]
    }
}

/// R rows times a panel of V registers' width.
struct Block<'a, S: Simd, L, const V: usize, const R: usize> {
    simd: S,
    left: L,
    panel: &'a [S::f32s],
    sums: &'a mut [f32],
}

impl<S: Simd, L: Rows<R>, const V: usize, const R: usize> NullaryFnOnce for Block<'_, S, L, V, R> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            simd,
            left,
            panel,
            sums,
        } = self;
        let inner = left.inner();
        let panel = &panel[..inner * V];
        let mut registers = [[simd.splat_f32s(0.0); V]; R];
        for k in 0..inner {
            let right: [S::f32s; V] = std::array::from_fn(
                #[inline(always)]
                |v| panel[k * V + v],
            );
            for (row, registers) in registers.iter_mut().enumerate() {
                let left = simd.splat_f32s(left.at(row, k));
                for (sum, right) in registers.iter_mut().zip(right) {
                    *sum = simd.mul_add_e_f32s(left, right, *sum);
                }
            }
        }
        let (sums, _) = S::as_mut_simd_f32s(sums);
        for (places, registers) in sums.chunks_exact_mut(V).zip(registers) {
            places.copy_from_slice(&registers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, phase: f32) -> Vec<f32> {
        let number = |index| (index as f32 * 0.731 + phase).sin();
        (0..count).map(number).collect()
    }

    fn multiplied(left: (&[f32], Part), rights: &[Columns<'_>]) -> Vec<f32> {
        let width: usize = rights.iter().map(|right| right.range().len()).sum();
        let length = left.1.rows * width;
        let mut out = vec![MaybeUninit::uninit(); length];
        product_into(&mut out, left, rights).to_vec()
    }

    /// In double precision, one element at a time.
    fn expected(left: (&[f32], Part), right: &[f32], columns: usize) -> Vec<f64> {
        let (left, part) = left;
        let element = |row: usize, column: usize| {
            let term = |k: usize| {
                let left = left[part.start + row * part.row_stride + k * part.column_stride];
                f64::from(left) * f64::from(right[k * columns + column])
            };
            (0..part.columns).map(term).sum()
        };
        let rows = 0..part.rows;
        rows.flat_map(|row| (0..columns).map(move |column| element(row, column)))
            .collect()
    }

    #[test]
    fn every_number_of_rows_and_columns_gives_the_product() {
        for rows in [0, 1, 5, 6, 7, 13, 25] {
            for (inner, columns) in [(0, 3), (1, 1), (3, 35), (400, 16), (900, 33)] {
                let x = numbers(rows * inner + 2, 0.5);
                let weight = numbers(inner * columns, 1.5);
                let panels = Panels::pack(&[(&weight, Part::rows(0, inner, columns, columns))]);
                for part in [
                    Part::rows(2, rows, inner, inner),
                    Part::rows(2, inner, rows, rows).transposed(),
                ] {
                    let found = multiplied((&x, part), &[Columns::all(&panels)]);
                    let expected = expected((&x, part), &weight, columns);
                    assert_eq!(found.len(), expected.len());
                    for (found, expected) in found.iter().zip(expected) {
                        let difference = (f64::from(*found) - expected).abs();
                        assert!(difference < 1e-4, "{rows} × {inner} × {columns}");
                    }
                }
            }
        }
    }

    /// Blocks of as many rows as the widest registers take, on whatever registers there are.
    struct Tall<'a, W>(Pass<'a>, W);

    impl<W: FnMut(usize, usize, &[f32])> WithSimd for Tall<'_, W> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self(pass, write) = self;
            match S::F32_LANES {
                8 | 16 => pass.walk::<S, 2>(simd, MAX_ROWS, write),
                _ => pass.walk::<S, 4>(simd, MAX_ROWS, write),
            }
        }
    }

    #[test]
    fn tall_blocks_sum_up_the_same() {
        let (inner, columns) = (50, 37);
        let weight = numbers(inner * columns, 1.0);
        let panels = Panels::pack(&[(&weight, Part::rows(0, inner, columns, columns))]);
        let rights = [Columns::all(&panels)];
        for rows in 1..=25 {
            let x = numbers(rows * inner, 0.0);
            for part in [
                Part::rows(0, rows, inner, inner),
                Part::rows(0, inner, rows, rows).transposed(),
            ] {
                let mut found = vec![0.0; rows * columns];
                let pass = Pass {
                    left: &x,
                    part,
                    rights: &rights,
                    inner: 0..inner,
                };
                panels
                    .arch()
                    .dispatch(Tall(pass, |row, column, sums: &[f32]| {
                        found[row * columns + column..][..sums.len()].copy_from_slice(sums);
                    }));
                assert_eq!(found, multiplied((&x, part), &rights), "{rows} rows");
            }
        }
    }

    #[test]
    fn a_row_is_the_same_alone_and_among_others() {
        let (rows, inner, columns) = (29, 500, 50);
        let x = numbers(rows * inner, 0.0);
        let weight = numbers(inner * columns, 1.0);
        let panels = Panels::pack(&[(&weight, Part::rows(0, inner, columns, columns))]);
        let all = [Columns::all(&panels)];
        let together = multiplied((&x, Part::rows(0, rows, inner, inner)), &all);
        for row in 0..rows {
            let alone = Part::rows(row * inner, 1, inner, inner);
            let alone = multiplied((&x, alone), &all);
            assert_eq!(alone, together[row * columns..(row + 1) * columns]);
        }
    }

    #[test]
    fn factors_stand_side_by_side_and_may_be_cut() {
        let (rows, inner, columns) = (3, 4, 40);
        let x = numbers(rows * inner, 0.0);
        let weights = [numbers(inner * columns, 1.0), numbers(inner * columns, 2.0)];
        let part = Part::rows(0, inner, columns, columns);
        let panels = weights
            .each_ref()
            .map(|weight| Panels::pack(&[(weight, part)]));
        let last = Columns {
            panels: &panels[1],
            range: 1..panels[1].count(),
        };
        let cut = last.range();
        let left = (x.as_slice(), Part::rows(0, rows, inner, inner));
        let found = multiplied(left, &[Columns::all(&panels[0]), last]);
        let [one, two] = weights.map(|weight| expected(left, &weight, columns));
        for row in 0..rows {
            let (one, two) = (&one[row * columns..][..columns], &two[row * columns..]);
            let expected = one.iter().chain(&two[cut.clone()]);
            let found = &found[row * (columns + cut.len())..];
            for (found, expected) in found.iter().zip(expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-5);
            }
        }
    }

    #[test]
    #[should_panic(expected = "beyond its slice")]
    fn a_matrix_beyond_its_slice_is_refused() {
        let weight = [0.0; 4];
        let panels = Panels::pack(&[(&weight, Part::rows(0, 2, 2, 2))]);
        let left = (&[0.0; 3][..], Part::rows(0, 2, 2, 2));
        multiplied(left, &[Columns::all(&panels)]);
    }
}
