//! Large matrix products and who computes what of them: each thread some rows, or where there are few rows, some columns.
//! The result is the same bit for bit, since [`product_into`] sums up every element in one order.

use std::borrow::Cow;
use std::ops::Range;

use super::blocks::{Columns, product_into};
use super::buffer::filled;
use super::left::Left;
use super::math::arch;
use super::panels::Panels;
use super::part::Part;
use super::short::Short;
use super::threads::{each, is_little};

/// Rows of a tile: a multiple of the rows of a block, and with [`product_into`]'s share of K few enough for a second-level
/// cache (147 kB).
const ROWS: usize = 96;
/// With fewer rows than this for each thread, columns are shared out.
const FEW_ROWS: usize = 48;
/// Where columns are shared out, the number of shares for each thread: more than one, so that none waits long for another.
const SHARES: usize = 2;

/// The right factor of a product.
#[derive(Clone)]
pub(crate) enum Factor<'a> {
    /// Matrices of equally many columns, one below the other.
    Loose(Vec<(&'a [f32], Part)>),
    /// In panels already.
    Packed(&'a Panels),
}

impl<'a> Factor<'a> {
    fn columns(&self) -> usize {
        match self {
            Self::Loose(parts) => parts[0].1.columns,
            Self::Packed(panels) => panels.columns(),
        }
    }

    fn short(&self) -> Option<Short> {
        match self {
            Self::Loose(_) => None,
            Self::Packed(panels) => panels.short(),
        }
    }

    pub(crate) fn packed(&self) -> Cow<'a, Panels> {
        match self {
            Self::Loose(parts) => Cow::Owned(Panels::pack(parts)),
            Self::Packed(panels) => Cow::Borrowed(panels),
        }
    }
}

/// Rows of a tile where so many are to be shared out: as many tiles for one thread as for any other.
pub(crate) fn tile_of(rows: usize) -> usize {
    let tiles = rows.div_ceil(ROWS);
    let tiles = tiles.next_multiple_of(rayon::current_num_threads());
    rows.div_ceil(tiles.max(1)).max(1)
}

/// `left · [right₁ | right₂ | …]`, `[T, N]`. Before a part of it is written down, `finish` is given it, row by row, and the
/// columns that it has.
///
/// # Panics
///
/// The sizes do not fit, or a matrix reaches beyond its slice.
pub(crate) fn shared_product(
    left: (&[f32], Part),
    rights: &[Factor<'_>],
    finish: impl Fn(&mut [f32], Range<usize>) + Sync,
) -> Vec<f32> {
    let rows = left.1.rows;
    if rows < FEW_ROWS * rayon::current_num_threads() {
        by_columns(left, rights, finish)
    } else {
        by_rows(left, rights, finish)
    }
}

fn by_rows(
    (left, part): (&[f32], Part),
    rights: &[Factor<'_>],
    finish: impl Fn(&mut [f32], Range<usize>) + Sync,
) -> Vec<f32> {
    let width: usize = rights.iter().map(Factor::columns).sum();
    let panels: Vec<Cow<'_, Panels>> = rights.iter().map(Factor::packed).collect();
    let columns: Vec<Columns<'_>> = panels.iter().map(|panels| Columns::all(panels)).collect();
    let tile = tile_of(part.rows);
    let short = rights[0].short();
    filled(part.rows * width, tile * width, |index, out| {
        let first = index * tile;
        let rows = part.narrow_rows(first..part.rows.min(first + tile));
        let rows = Left::pack(arch(), (left, rows), short);
        let out = product_into(out, &rows, &columns);
        finish(out, 0..width);
        out
    })
}

fn by_columns(
    (left, part): (&[f32], Part),
    rights: &[Factor<'_>],
    finish: impl Fn(&mut [f32], Range<usize>) + Sync,
) -> Vec<f32> {
    let shares = shares_of_columns(rights, part.rows * part.columns);
    let left = Left::pack(arch(), (left, part), rights[0].short());
    let share = |(): &mut (), share: Share<'_>| {
        let packed;
        let columns = match share.factor {
            Factor::Loose(parts) => {
                let narrow = |(slice, part): &(_, Part)| (*slice, part.narrow(share.range.clone()));
                let parts: Vec<_> = parts.iter().map(narrow).collect();
                packed = Panels::pack(&parts);
                Columns::all(&packed)
            }
            Factor::Packed(panels) => Columns::some(panels, &share.range),
        };
        let length = part.rows * share.range.len();
        filled(length, length, |_, out| {
            let out = product_into(out, &left, std::slice::from_ref(&columns));
            let (start, end) = (share.range.start, share.range.end);
            finish(out, share.before + start..share.before + end);
            out
        })
    };
    side_by_side(part.rows, each(shares, false, || (), share))
}

/// Some columns of one factor.
struct Share<'a> {
    factor: &'a Factor<'a>,
    range: Range<usize>,
    /// Columns of the factors before this one.
    before: usize,
}

/// `left`: the elements of the left factor.
fn shares_of_columns<'a>(rights: &'a [Factor<'a>], left: usize) -> Vec<Share<'a>> {
    let width: usize = rights.iter().map(Factor::columns).sum();
    let panel = Panels::width_of_a_panel();
    let shares = match is_little(2 * left * width) {
        true => 1,
        false => SHARES * rayon::current_num_threads(),
    };
    let share = width.div_ceil(shares).next_multiple_of(panel);
    let mut all = Vec::new();
    let mut before = 0;
    for factor in rights {
        let columns = factor.columns();
        all.extend((0..columns).step_by(share).map(|start| Share {
            factor,
            range: start..columns.min(start + share),
            before,
        }));
        before += columns;
    }
    all
}

/// The columns of matrices of equally many rows.
fn side_by_side(rows: usize, mut matrices: Vec<Vec<f32>>) -> Vec<f32> {
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
