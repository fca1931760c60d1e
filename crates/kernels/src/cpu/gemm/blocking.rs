//! The block sizes of the product, named as in BLIS.

use pulp::Simd;

/// Values of K that one pass walks over, a multiple of the elements of a word. A panel of 16 columns then fits in a first-level
/// cache (24 kB), one of 32 columns in the larger ones (48 kB: Zen 5; Zen 4 reads it from the second level without loss), and the
/// rows of a tile fit in a second-level cache.
pub(crate) const KC: usize = 384;

/// Rows of a tile, a multiple of MR. With KC values of K they fit in a second-level cache (147 kB).
pub(crate) const MC: usize = 96;

/// The largest MR.
pub(crate) const MAX_MR: usize = 12;

/// MR, the rows of a panel of the left-hand side: as many as there are registers for sums, beside those for one row of the
/// right-hand panel and one element of the left-hand side.
pub(crate) const fn mr<S: Simd>() -> usize {
    match S::F32_LANES {
        16 => MAX_MR,
        8 => 6,
        _ => 4,
    }
}

/// NR, the columns of a panel of the right-hand side: two wide registers, or four narrow ones.
pub(crate) const fn nr<S: Simd>() -> usize {
    match S::F32_LANES {
        16 => 32,
        8 => 16,
        4 => 16,
        _ => 4,
    }
}
