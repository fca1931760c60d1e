use std::mem::MaybeUninit;
use std::ops::Range;

use rayon::prelude::*;

use super::lhs::{Lhs, PackedLhs};
use super::macrokernel::{RhsColumns, multiply_into};
use super::pack_rhs::RhsPanels;
use super::schedule::{shares, shares_columns, tile_rows};
use crate::cpu::simd::arch;
use crate::cpu::threads::is_little;
use crate::cpu::view::View;
use crate::params::WeightFormat;

/// A product whose factors are packed, in parts for all threads.
pub(crate) struct PackedFactors {
    /// Tiles of rows.
    lhs: Vec<PackedLhs>,
    rhs: RhsPanels,
    parts: Vec<Part>,
    is_little: bool,
}

/// Some columns of the product of one tile.
struct Part {
    tile: usize,
    columns: Range<usize>,
    out: Vec<MaybeUninit<f32>>,
}

impl PackedFactors {
    /// Packs `lhs`, `[M, K]`, and `rhs`, `[K, N]`, both by rows.
    ///
    /// # Panics
    ///
    /// A slice has another size.
    pub(crate) fn pack(
        [lhs, rhs]: [&[f32]; 2],
        [m, k, n]: [usize; 3],
        format: WeightFormat,
    ) -> Self {
        assert_eq!(
            [lhs.len(), rhs.len()],
            [m * k, k * n],
            "sizes of the factors"
        );
        let rhs = RhsPanels::pack(&[(rhs, View::rows(0, k, n, n))]).in_format(format);
        let (tile, share) = match shares_columns(m) {
            true => (m, n.div_ceil(shares()).next_multiple_of(rhs.width())),
            false => (tile_rows(m), n),
        };
        let rows = Lhs::F32((lhs, View::rows(0, m, k, k)));
        let starts = (0..m).step_by(tile.max(1));
        let lhs: Vec<PackedLhs> = starts
            .map(|first| rows.narrow_rows(first..m.min(first + tile)))
            .map(|tile| tile.pack(arch(), rhs.quantization()))
            .collect();
        let mut parts = Vec::new();
        for (tile, rows) in lhs.iter().enumerate() {
            for start in (0..n).step_by(share.max(1)) {
                let columns = start..n.min(start + share);
                parts.push(Part {
                    tile,
                    out: vec![MaybeUninit::uninit(); rows.rows() * columns.len()],
                    columns,
                });
            }
        }
        Self {
            is_little: is_little(2 * m * k * n),
            lhs,
            rhs,
            parts,
        }
    }

    /// Multiplies on this thread, or on all of them.
    pub(crate) fn multiply(&mut self, on_all_threads: bool) {
        let (lhs, rhs) = (&self.lhs, &self.rhs);
        let multiply = |part: &mut Part| {
            let columns = RhsColumns::some(rhs, &part.columns);
            multiply_into(&mut part.out, &lhs[part.tile], &[columns]);
        };
        if on_all_threads && !self.is_little {
            self.parts.par_iter_mut().with_max_len(1).for_each(multiply);
        } else {
            self.parts.iter_mut().for_each(multiply);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::operand::Operand;
    use super::super::schedule::matmul;
    use super::*;

    /// What `multiply` has written, by rows.
    fn product(factors: &mut PackedFactors, m: usize, n: usize) -> Vec<f32> {
        let mut out = vec![f32::NAN; m * n];
        let mut first = 0;
        for (index, tile) in factors.lhs.iter().enumerate() {
            for part in factors.parts.iter_mut().filter(|part| part.tile == index) {
                let columns = RhsColumns::some(&factors.rhs, &part.columns);
                let values = multiply_into(&mut part.out, tile, &[columns]);
                for (row, values) in values.chunks_exact(part.columns.len()).enumerate() {
                    let at = (first + row) * n;
                    out[at + part.columns.start..at + part.columns.end].copy_from_slice(values);
                }
            }
            first += tile.rows();
        }
        out
    }

    #[test]
    fn the_parts_are_the_whole_product_in_every_format() {
        for [m, k, n] in [[1, 5, 3], [16, 40, 100], [300, 32, 33]] {
            let value = |i: usize| (i % 13) as f32 / 16.0 - 0.4;
            let lhs: Vec<f32> = (0..m * k).map(value).collect();
            let rhs: Vec<f32> = (0..k * n).map(value).collect();
            for format in [WeightFormat::F32, WeightFormat::Bf16, WeightFormat::Int8] {
                let mut factors = PackedFactors::pack([&lhs, &rhs], [m, k, n], format);
                factors.multiply(true);
                factors.multiply(false);
                let packed =
                    RhsPanels::pack(&[(&rhs[..], View::rows(0, k, n, n))]).in_format(format);
                let expected = matmul(
                    Lhs::F32((&lhs, View::rows(0, m, k, k))),
                    &[Operand::Packed(&packed)],
                    |_, _| (),
                );
                assert_eq!(product(&mut factors, m, n), expected, "{format:?}");
            }
        }
    }
}
