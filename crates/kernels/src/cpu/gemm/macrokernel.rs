//! One matrix product on one thread: it runs the microkernel over all tiles, KC values of K at a time.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::blocking::KC;
use super::lhs::{LhsElements, PackedLhs};
use super::microkernel::{f32_tile, word_tile};
use super::output::{Output, OutputTile};
use super::pack_lhs::with_row_count;
use super::pack_rhs::RhsPanels;
use super::prefetch::shares;

/// Some columns of a packed right-hand side.
#[derive(Debug, Clone)]
pub(crate) struct RhsColumns<'a> {
    panels: &'a RhsPanels,
    /// The indices of their panels.
    range: Range<usize>,
}

impl<'a> RhsColumns<'a> {
    /// All columns.
    pub(crate) fn all(panels: &'a RhsPanels) -> Self {
        Self {
            panels,
            range: 0..panels.count(),
        }
    }

    /// Some columns: whole panels, but for the last panel.
    ///
    /// # Panics
    ///
    /// The range cuts a panel.
    pub(crate) fn some(panels: &'a RhsPanels, columns: &Range<usize>) -> Self {
        let width = panels.width();
        let range = columns.start / width..columns.end.div_ceil(width);
        assert_eq!(&panels.columns_of(&range), columns, "whole panels");
        Self { panels, range }
    }

    /// The indices of the columns.
    pub(crate) fn range(&self) -> Range<usize> {
        self.panels.columns_of(&self.range)
    }
}

/// `lhs · [rhs₁ | rhs₂ | …]`, row by row, into memory that need not be initialised. On this thread.
///
/// # Panics
///
/// The memory does not have the size of the result, or sizes do not fit.
#[expect(unsafe_code, reason = "the first pass writes every element")]
pub(crate) fn multiply_into<'a>(
    out: &'a mut [MaybeUninit<f32>],
    lhs: &PackedLhs,
    rhs: &[RhsColumns<'_>],
) -> &'a mut [f32] {
    let width: usize = rhs.iter().map(|rhs| rhs.range().len()).sum();
    assert_eq!(out.len(), lhs.rows() * width, "the memory of the result");
    for rhs in rhs {
        let panels = rhs.panels;
        assert_eq!(lhs.columns(), panels.rows(), "the sizes do not fit");
        assert_eq!(lhs.quantization(), panels.quantization(), "one format");
    }
    let pass = |k| Pass { lhs, rhs, width, k };
    pass(0..lhs.columns().min(KC)).run(Output::Write(out));
    // SAFETY: the right-hand panels cover all columns, the left-hand panels all rows, and a pass stores all of their sums.
    let out = unsafe { out.assume_init_mut() };
    for start in (KC..lhs.columns()).step_by(KC) {
        pass(start..lhs.columns().min(start + KC)).run(Output::Add(out));
    }
    out
}

/// What some values of K contribute to a product.
struct Pass<'a> {
    lhs: &'a PackedLhs,
    rhs: &'a [RhsColumns<'a>],
    /// The number of columns of all right-hand sides.
    width: usize,
    k: Range<usize>,
}

impl Pass<'_> {
    fn run(self, output: Output<'_>) {
        if let Some(rhs) = self.rhs.first() {
            rhs.panels.arch().dispatch(Running(self, output));
        }
    }

    #[inline(always)]
    fn walk<S: Simd, const V: usize>(&self, simd: S, mut output: Output<'_>) {
        let mut room = Vec::new();
        let mut first_column = 0;
        for rhs in self.rhs {
            for panel in rhs.range.clone() {
                let columns = rhs.panels.columns_of(&(panel..panel + 1)).len();
                let scales = rhs.panels.scales_of(panel);
                let tile = |rows: &Range<usize>| OutputTile {
                    at: rows.start * self.width + first_column,
                    stride: self.width,
                    columns,
                    scales: (self.lhs.scales_of(rows), scales),
                };
                let output = &mut output;
                match (self.lhs.elements(), rhs.panels.words()) {
                    (LhsElements::Words(lhs_panels, instruction), Some(words)) => {
                        let elements = words.rows_of(panel, &self.k);
                        let compensation = words.compensation_of(panel, &self.k);
                        let words = words.quantization().words_of(&self.k);
                        let panel = (elements, compensation, *instruction);
                        for (rows, lhs) in lhs_panels.columns_of(&words) {
                            let tile = tile(&rows);
                            with_row_count!(
                                rows.len(),
                                word_tile[S, V](simd, lhs, panel, tile, output)
                            );
                        }
                    }
                    (LhsElements::Words(..), None) => unreachable!("one format"),
                    (LhsElements::F32(lhs_panels), _) => {
                        let elements = rhs.panels.rows_of(panel, &self.k, &mut room);
                        let next = rhs.panels.elements_of(panel + 1, &self.k);
                        let mut next = shares(next.unwrap_or_default(), lhs_panels.count());
                        for (rows, lhs) in lhs_panels.columns_of(&self.k) {
                            let panel = (elements, next.next().unwrap_or_default());
                            let tile = tile(&rows);
                            with_row_count!(
                                rows.len(),
                                f32_tile[S, V](simd, lhs, panel, tile, output)
                            );
                        }
                    }
                }
                first_column += columns;
            }
        }
    }
}

struct Running<'a>(Pass<'a>, Output<'a>);

impl WithSimd for Running<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self(pass, output) = self;
        match S::F32_LANES {
            8 | 16 => pass.walk::<S, 2>(simd, output),
            _ => pass.walk::<S, 4>(simd, output),
        }
    }
}
