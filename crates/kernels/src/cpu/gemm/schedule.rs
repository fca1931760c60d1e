//! One matrix product on all threads: each thread computes some rows or, where there are few rows, some columns. The result is
//! the same bit for bit, because [`multiply_into`] sums every element in one order.

use std::borrow::Cow;
use std::ops::Range;

use super::blocking::MC;
use super::lhs::Lhs;
use super::macrokernel::{RhsColumns, multiply_into};
use super::operand::Operand;
use super::pack_rhs::RhsPanels;
use crate::cpu::buffer::filled;
use crate::cpu::simd::arch;
use crate::cpu::threads::{each, is_little};

/// With fewer rows than this for each thread, threads share columns.
const FEW_ROWS: usize = 48;
/// Where threads share columns, the number of shares for each thread: more than one, so that no thread waits long for another.
const SHARES: usize = 2;

/// Rows of a tile where so many rows are shared: every thread gets equally many tiles.
pub(crate) fn tile_rows(rows: usize) -> usize {
    let tiles = rows.div_ceil(MC);
    let tiles = tiles.next_multiple_of(rayon::current_num_threads());
    rows.div_ceil(tiles.max(1)).max(1)
}

/// Whether there are so few rows that threads share columns.
pub(crate) fn shares_columns(rows: usize) -> bool {
    rows < FEW_ROWS * rayon::current_num_threads()
}

/// How many shares threads make of columns, where they share them.
pub(super) fn shares() -> usize {
    SHARES * rayon::current_num_threads()
}

/// `lhs · [rhs₁ | rhs₂ | …]`, `[M, N]`. `epilogue` is called with each part of the result while it is in the cache: its elements,
/// row by row, and the columns that it has.
///
/// # Panics
///
/// The sizes do not fit, or a matrix reaches beyond its slice.
pub(crate) fn matmul(
    lhs: Lhs<'_>,
    rhs: &[Operand<'_>],
    epilogue: impl Fn(&mut [f32], Range<usize>) + Sync,
) -> Vec<f32> {
    if shares_columns(lhs.rows()) {
        by_columns(lhs, rhs, epilogue)
    } else {
        by_rows(lhs, rhs, epilogue)
    }
}

fn by_rows(
    lhs: Lhs<'_>,
    rhs: &[Operand<'_>],
    epilogue: impl Fn(&mut [f32], Range<usize>) + Sync,
) -> Vec<f32> {
    let width: usize = rhs.iter().map(Operand::columns).sum();
    let panels: Vec<Cow<'_, RhsPanels>> = rhs.iter().map(Operand::packed).collect();
    let columns: Vec<RhsColumns<'_>> = panels.iter().map(|rhs| RhsColumns::all(rhs)).collect();
    let tile = tile_rows(lhs.rows());
    let quantization = rhs[0].quantization();
    filled(lhs.rows() * width, tile * width, |index, out| {
        let first = index * tile;
        let rows = lhs.narrow_rows(first..lhs.rows().min(first + tile));
        let out = multiply_into(out, &rows.pack(arch(), quantization), &columns);
        epilogue(out, 0..width);
        out
    })
}

fn by_columns(
    lhs: Lhs<'_>,
    rhs: &[Operand<'_>],
    epilogue: impl Fn(&mut [f32], Range<usize>) + Sync,
) -> Vec<f32> {
    let rows = lhs.rows();
    let shares = shares_of_columns(rhs, rows * lhs.columns());
    let lhs = lhs.pack(arch(), rhs[0].quantization());
    let share = |(): &mut (), share: Share<'_>| {
        let packed;
        let columns = match share.operand {
            Operand::Packed(panels) => RhsColumns::some(panels, &share.range),
            unpacked => {
                packed = unpacked.narrow(&share.range).packed();
                RhsColumns::all(&packed)
            }
        };
        let length = rows * share.range.len();
        filled(length, length, |_, out| {
            let out = multiply_into(out, &lhs, std::slice::from_ref(&columns));
            let (start, end) = (share.range.start, share.range.end);
            epilogue(out, share.before + start..share.before + end);
            out
        })
    };
    concatenate_columns(rows, each(shares, false, || (), share))
}

/// Some columns of one operand.
struct Share<'a> {
    operand: &'a Operand<'a>,
    range: Range<usize>,
    /// The number of columns of the operands before this one.
    before: usize,
}

/// `lhs` is the number of elements of the left-hand side.
fn shares_of_columns<'a>(rhs: &'a [Operand<'a>], lhs: usize) -> Vec<Share<'a>> {
    let width: usize = rhs.iter().map(Operand::columns).sum();
    let panel = RhsPanels::width_in_use();
    let count = match is_little(2 * lhs * width) {
        true => 1,
        false => shares(),
    };
    let share = width.div_ceil(count).next_multiple_of(panel);
    let mut all = Vec::new();
    let mut before = 0;
    for operand in rhs {
        let columns = operand.columns();
        all.extend((0..columns).step_by(share).map(|start| Share {
            operand,
            range: start..columns.min(start + share),
            before,
        }));
        before += columns;
    }
    all
}

/// The columns of matrices of equally many rows, side by side.
fn concatenate_columns(rows: usize, mut matrices: Vec<Vec<f32>>) -> Vec<f32> {
    if matrices.len() == 1 {
        return matrices.swap_remove(0);
    }
    let mut joined = Vec::with_capacity(matrices.iter().map(Vec::len).sum());
    for row in 0..rows {
        for matrix in &matrices {
            let columns = matrix.len() / rows;
            joined.extend_from_slice(&matrix[row * columns..(row + 1) * columns]);
        }
    }
    joined
}
