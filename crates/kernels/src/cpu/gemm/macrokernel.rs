//! The inner loops of matrix products: a few rows times one panel of columns, whose sums stay in vector registers while K
//! goes by. Each element is summed up in the order of K alone, so that it is the same bit for bit whatever else is
//! multiplied with it, however the work is shared out.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{NullaryFnOnce, Simd, WithSimd};

use super::ahead::{LINE, ask_for, ask_for_later, in_shares};
use super::groups::with_rows;
use super::instructions::Instruction;
use super::left::{Left, LeftElements};
use super::panels::Panels;
use super::sums::{Place, Sums};

/// Rows of K at a time, a multiple of the elements of a word: with them a panel of 16 columns fits in a first-level cache
/// (24 kB), one of 32 in the larger ones (48 kB: Zen 5's; Zen 4 reads it from the next without loss), and the rows of a tile in
/// a second-level one.
pub(crate) const INNER: usize = 384;

/// Columns of a panel: two registers where these are wide, four where they are narrow or the compiler has to see to it.
pub(crate) const fn panel_width<S: Simd>() -> usize {
    match S::F32_LANES {
        16 => 32,
        8 => 16,
        4 => 16,
        _ => 4,
    }
}

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
/// The memory is not exactly that of the result, or sizes do not fit.
#[expect(unsafe_code, reason = "the first pass writes every element")]
pub(crate) fn product_into<'a>(
    out: &'a mut [MaybeUninit<f32>],
    left: &Left,
    rights: &[Columns<'_>],
) -> &'a mut [f32] {
    let width: usize = rights.iter().map(|right| right.range().len()).sum();
    assert_eq!(out.len(), left.rows() * width, "the memory of the result");
    for right in rights {
        let panels = right.panels;
        assert_eq!(left.columns(), panels.rows(), "the sizes do not fit");
        assert_eq!(left.short(), panels.short(), "one format");
    }
    let pass = |inner| Pass {
        left,
        rights,
        width,
        inner,
    };
    pass(0..left.columns().min(INNER)).run(Sums::Fresh(out));
    // SAFETY: the panels cover all columns, the groups all rows, and a pass hands over all of their elements.
    let out = unsafe { out.assume_init_mut() };
    for start in (INNER..left.columns()).step_by(INNER) {
        pass(start..left.columns().min(start + INNER)).run(Sums::Begun(out));
    }
    out
}

/// The part of a product that some rows of K contribute.
struct Pass<'a> {
    left: &'a Left,
    rights: &'a [Columns<'a>],
    /// Columns of all of these.
    width: usize,
    inner: Range<usize>,
}

impl Pass<'_> {
    fn run(self, sums: Sums<'_>) {
        if let Some(right) = self.rights.first() {
            right.panels.arch().dispatch(Running(self, sums));
        }
    }

    #[inline(always)]
    fn walk<S: Simd, const V: usize>(&self, simd: S, mut sums: Sums<'_>) {
        let mut room = Vec::new();
        let mut first_column = 0;
        for right in self.rights {
            for panel in right.range.clone() {
                let columns = right.panels.columns_of(&(panel..panel + 1)).len();
                let factors = right.panels.factors_of(panel);
                let place = |rows: &Range<usize>| Place {
                    at: rows.start * self.width + first_column,
                    stride: self.width,
                    columns,
                    factors: (self.left.factors_of(rows), factors),
                };
                let sums = &mut sums;
                match (self.left.elements(), right.panels.words()) {
                    (LeftElements::Words(groups, instruction), Some(words)) => {
                        let elements = words.rows_of(panel, &self.inner);
                        let beginnings = words.beginnings_of(panel, &self.inner);
                        let words = words.short().words_of(&self.inner);
                        let factors = (elements, beginnings, *instruction);
                        for (rows, left) in groups.columns_of(&words) {
                            let place = place(&rows);
                            with_rows!(
                                rows.len(),
                                block_of_words[S, V](simd, left, factors, place, sums)
                            );
                        }
                    }
                    (LeftElements::Words(..), None) => unreachable!("one format"),
                    (LeftElements::Single(groups), _) => {
                        let elements = right.panels.rows_of(panel, &self.inner, &mut room);
                        let next = right.panels.elements_of(panel + 1, &self.inner);
                        let mut next = in_shares(next.unwrap_or_default(), groups.count());
                        for (rows, left) in groups.columns_of(&self.inner) {
                            let panel = (elements, next.next().unwrap_or_default());
                            let place = place(&rows);
                            with_rows!(
                                rows.len(),
                                block[S, V](simd, left, panel, place, sums)
                            );
                        }
                    }
                }
                first_column += columns;
            }
        }
    }
}

struct Running<'a>(Pass<'a>, Sums<'a>);

impl WithSimd for Running<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self(pass, sums) = self;
        match S::F32_LANES {
            8 | 16 => pass.walk::<S, 2>(simd, sums),
            _ => pass.walk::<S, 4>(simd, sums),
        }
    }
}

fn block<S: Simd, const V: usize, const R: usize>(
    simd: S,
    left: &[f32],
    (panel, next): (&[f32], &[f32]),
    place: Place<'_>,
    sums: &mut Sums<'_>,
) {
    simd.vectorize(Block::<S, V, R> {
        simd,
        left: left.as_chunks().0,
        panel: S::as_simd_f32s(panel).0.as_chunks().0,
        next,
        place,
        sums,
    });
}

/// R rows times a panel of V registers' width.
struct Block<'a, 'b, S: Simd, const V: usize, const R: usize> {
    simd: S,
    left: &'a [[f32; R]],
    panel: &'a [[S::f32s; V]],
    /// What this block asks for of the panel that comes next.
    next: &'a [f32],
    place: Place<'a>,
    sums: &'a mut Sums<'b>,
}

/// The innermost loop is written out so many times.
const UNROLLED: usize = 4;

impl<S: Simd, const V: usize, const R: usize> NullaryFnOnce for Block<'_, '_, S, V, R> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            simd,
            left,
            panel,
            next,
            place,
            sums,
        } = self;
        let mut registers = [[simd.splat_f32s(0.0); V]; R];
        let (left, left_rest) = left.as_chunks::<UNROLLED>();
        let (right, right_rest) = panel.as_chunks::<UNROLLED>();
        // Bit by bit, a row of sums at a time, since only so much memory can be on its way at once.
        let mut next = in_shares(next, left.len());
        let first_sum = sums.address(place.at);
        for (row, (left, right)) in left.iter().zip(right).enumerate() {
            next.next().into_iter().for_each(ask_for_later);
            if row < R {
                let sums = first_sum.wrapping_add(row * place.stride);
                let lines = (0..V * S::F32_LANES).step_by(LINE);
                lines.for_each(|column| ask_for(sums.wrapping_add(column)));
            }
            for (left, right) in left.iter().zip(right) {
                add(simd, &mut registers, left, right);
            }
        }
        for (left, right) in left_rest.iter().zip(right_rest) {
            add(simd, &mut registers, left, right);
        }
        place.take(simd, registers, sums);
    }
}

/// The same with words on both sides: the panel's rows, what sums begin with, and the instruction for them.
fn block_of_words<S: Simd, const V: usize, const R: usize>(
    simd: S,
    left: &[u32],
    (panel, beginnings, instruction): (&[u32], &[i32], Instruction),
    place: Place<'_>,
    sums: &mut Sums<'_>,
) {
    let found = instruction.sums::<R>(left.as_chunks().0, panel, beginnings);
    simd.vectorize(
        #[inline(always)]
        || {
            let registers = found.each_ref().map(|row| {
                let registers = S::as_simd_f32s(row).0;
                std::array::from_fn::<_, V, _>(|register| registers[register])
            });
            place.take(simd, registers, sums);
        },
    );
}

/// Adds what one row of K contributes.
#[inline(always)]
fn add<S: Simd, const V: usize, const R: usize>(
    simd: S,
    registers: &mut [[S::f32s; V]; R],
    left: &[f32; R],
    right: &[S::f32s; V],
) {
    for (registers, &left) in registers.iter_mut().zip(left) {
        let left = simd.splat_f32s(left);
        for (sum, &right) in registers.iter_mut().zip(right) {
            *sum = simd.mul_add_e_f32s(left, right, *sum);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::groups::{Groups, MAX_ROWS};
    use super::super::part::Part;
    use super::*;

    pub(in super::super) fn numbers(count: usize, phase: f32) -> Vec<f32> {
        let number = |index| (index as f32 * 0.731 + phase).sin();
        (0..count).map(number).collect()
    }

    fn multiplied(left: Groups, rights: &[Columns<'_>]) -> Vec<f32> {
        let left = Left::single(left);
        let width: usize = rights.iter().map(|right| right.range().len()).sum();
        let mut out = vec![MaybeUninit::uninit(); left.rows() * width];
        product_into(&mut out, &left, rights).to_vec()
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
                    let left = Groups::pack(panels.arch(), (&x, part));
                    let found = multiplied(left, &[Columns::all(&panels)]);
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
                // As many rows as the widest registers take, on whatever registers there are.
                let tall = Groups::of_at_most(MAX_ROWS, (&x, part));
                let found = multiplied(tall, &rights);
                let usual = Groups::pack(panels.arch(), (&x, part));
                assert_eq!(found, multiplied(usual, &rights), "{rows} rows");
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
        let multiplied = |part| multiplied(Groups::pack(panels.arch(), (&x, part)), &all);
        let together = multiplied(Part::rows(0, rows, inner, inner));
        for row in 0..rows {
            let alone = multiplied(Part::rows(row * inner, 1, inner, inner));
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
        let packed = Groups::pack(panels[0].arch(), left);
        let found = multiplied(packed, &[Columns::all(&panels[0]), last]);
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
}
