#[cfg(not(any(feature = "flex", feature = "ndarray")))]
use std::convert::Infallible;

#[cfg(any(feature = "flex", feature = "ndarray"))]
use crate::cpu::gemm::packed_product::PackedFactors;
use crate::params::WeightFormat;

/// A matrix product of the CPU kernels whose factors are packed already, to be computed over and over: what the innermost loops
/// reach where there is nothing else to do. For measurements.
pub struct PackedProduct(
    #[cfg(any(feature = "flex", feature = "ndarray"))] PackedFactors,
    #[cfg(not(any(feature = "flex", feature = "ndarray")))] Infallible,
);

impl PackedProduct {
    /// Packs the factors `[M, K]` and `[K, N]`, both by rows, in a format. `None` where no backend of the CPU is compiled in.
    ///
    /// # Panics
    ///
    /// A slice has another size.
    pub fn pack(factors: [&[f32]; 2], sizes: [usize; 3], format: WeightFormat) -> Option<Self> {
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        return Some(Self(PackedFactors::pack(factors, sizes, format)));
        #[cfg(not(any(feature = "flex", feature = "ndarray")))]
        {
            let _ = (factors, sizes, format);
            None
        }
    }

    /// Multiplies on all threads.
    pub fn multiply(&mut self) {
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        self.0.multiply(true);
        #[cfg(not(any(feature = "flex", feature = "ndarray")))]
        match self.0 {}
    }

    /// Multiplies on this thread alone.
    pub fn multiply_on_one_thread(&mut self) {
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        self.0.multiply(false);
        #[cfg(not(any(feature = "flex", feature = "ndarray")))]
        match self.0 {}
    }
}
