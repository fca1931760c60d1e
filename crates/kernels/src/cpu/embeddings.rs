//! Lookups in embedding tables, and their gradients. T tokens, H columns.

use super::buffer::{filled, zeroed};
use super::simd::vectorized;

/// Rows of a table that a thread takes at a time in the backward pass: few, because a small table receives as many gradients as
/// a large one.
const TABLE_ROWS: usize = 64;

/// A table `[rows, H]` and the row of it that each token takes, `[T]`.
#[derive(Clone, Copy)]
pub(crate) struct Lookup<'a> {
    pub(crate) table: &'a [f32],
    pub(crate) rows: &'a [usize],
}

/// The sum of each token's rows in all tables, `[T, H]`.
///
/// # Panics
///
/// A token's row is not in its table.
pub(crate) fn sum<'a>(lookups: [Lookup<'a>; 3], width: usize) -> Vec<f32> {
    let row_of = |lookup: &Lookup<'a>, token: usize| {
        let row = lookup.rows[token];
        &lookup.table[row * width..(row + 1) * width]
    };
    let tokens = lookups[0].rows.len();
    filled(tokens * width, width, |token, places| {
        let [first, second, third] = lookups.each_ref().map(|lookup| row_of(lookup, token));
        let sum = places.write_copy_of_slice(first);
        vectorized(
            #[inline(always)]
            || {
                for (sum, (&second, &third)) in sum.iter_mut().zip(second.iter().zip(third)) {
                    *sum += second + third;
                }
            },
        );
        sum
    })
}

/// The gradient of a table of so many rows. Each row is the sum of the gradients `[T, H]` of the tokens that took it, in their
/// order. The row `without` receives none.
pub(crate) fn scatter_add(
    table_rows: usize,
    rows: &[usize],
    gradient: &[f32],
    width: usize,
    without: Option<usize>,
) -> Vec<f32> {
    let mut tokens: Vec<usize> = (0..rows.len()).collect();
    tokens.retain(|&token| Some(rows[token]) != without);
    tokens.sort_by_key(|&token| rows[token]);
    filled(table_rows * width, TABLE_ROWS * width, |block, places| {
        let table = zeroed(places);
        let first = block * TABLE_ROWS;
        let start = tokens.partition_point(|&token| rows[token] < first);
        let end = tokens.partition_point(|&token| rows[token] < first + TABLE_ROWS);
        vectorized(
            #[inline(always)]
            || {
                for &token in &tokens[start..end] {
                    let at = (rows[token] - first) * width;
                    let gradient = &gradient[token * width..(token + 1) * width];
                    for (sum, &value) in table[at..at + width].iter_mut().zip(gradient) {
                        *sum += value;
                    }
                }
            },
        );
        table
    })
}
