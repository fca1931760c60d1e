//! Dot-product instructions: AVX-512 BF16 and VNNI multiply several quantized elements at a time and add the products.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64 as x86;

use pulp::Arch;

use super::quantize::Quantization;

/// Columns of a panel: two of the instructions' registers.
pub(super) const WIDTH: usize = 32;

/// An instruction that this processor has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DotProduct(Quantization);

impl DotProduct {
    /// The instruction for this quantization, if the processor has one and these vector registers are in use.
    pub(super) fn of(arch: Arch, quantization: Quantization) -> Option<Self> {
        let exists = match arch {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(_) => match quantization {
                Quantization::Bf16 => std::arch::is_x86_feature_detected!("avx512bf16"),
                Quantization::Int8 => std::arch::is_x86_feature_detected!("avx512vnni"),
            },
            _ => false,
        };
        exists.then_some(Self(quantization))
    }

    /// An instruction that this processor may not have, for tests of what is packed for it. They do not call [`sums`](Self::sums).
    #[cfg(test)]
    pub(super) fn of_some_processor(quantization: Quantization) -> Self {
        Self(quantization)
    }

    /// R rows times a panel, word by word. int8 sums start with the zero-point compensation.
    ///
    /// # Panics
    ///
    /// The panel is not [`WIDTH`] columns wide, or int8 comes without compensation.
    #[inline]
    pub(super) fn sums<const R: usize>(
        self,
        lhs: &[[u32; R]],
        panel: &[u32],
        compensation: &[i32],
    ) -> [[f32; WIDTH]; R] {
        let (panel, rest) = panel.as_chunks();
        assert!(rest.is_empty(), "whole rows of a panel");
        #[cfg(target_arch = "x86_64")]
        #[expect(
            unsafe_code,
            reason = "`of` has detected that the processor has the instruction"
        )]
        // SAFETY: `of` has detected the instruction and the vector registers that it needs.
        unsafe {
            match self.0 {
                Quantization::Bf16 => bf16_sums(lhs, panel),
                Quantization::Int8 => {
                    let (compensation, _) = compensation.as_chunks();
                    int8_sums(lhs, panel, &compensation[0])
                }
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        unreachable!("{lhs:?} {panel:?} {compensation:?}: there is no such instruction")
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
#[expect(unsafe_code, reason = "registers are as many bits as arrays")]
fn bf16_sums<const R: usize>(lhs: &[[u32; R]], panel: &[[u32; WIDTH]]) -> [[f32; WIDTH]; R] {
    let mut sums = [[x86::_mm512_setzero_ps(); 2]; R];
    for (lhs, rhs) in lhs.iter().zip(panel) {
        // SAFETY: both have 128 bytes, any of which are valid.
        let rhs: [x86::__m512bh; 2] = unsafe { std::mem::transmute(*rhs) };
        for (sums, &lhs) in sums.iter_mut().zip(lhs) {
            let lhs = x86::_mm512_set1_epi32(lhs.cast_signed());
            // SAFETY: both have 64 bytes, any of which are valid.
            let lhs: x86::__m512bh = unsafe { std::mem::transmute(lhs) };
            for (sum, rhs) in sums.iter_mut().zip(rhs) {
                *sum = x86::_mm512_dpbf16_ps(*sum, lhs, rhs);
            }
        }
    }
    // SAFETY: both have 128 bytes, any of which are valid.
    sums.map(|sums| unsafe { std::mem::transmute::<[x86::__m512; 2], [f32; WIDTH]>(sums) })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni")]
#[expect(unsafe_code, reason = "registers are as many bits as arrays")]
fn int8_sums<const R: usize>(
    lhs: &[[u32; R]],
    panel: &[[u32; WIDTH]],
    compensation: &[i32; WIDTH],
) -> [[f32; WIDTH]; R] {
    // SAFETY: both have 128 bytes, any of which are valid.
    let compensation: [x86::__m512i; 2] = unsafe { std::mem::transmute(*compensation) };
    let mut sums = [compensation; R];
    for (lhs, rhs) in lhs.iter().zip(panel) {
        // SAFETY: as above.
        let rhs: [x86::__m512i; 2] = unsafe { std::mem::transmute(*rhs) };
        for (sums, &lhs) in sums.iter_mut().zip(lhs) {
            let lhs = x86::_mm512_set1_epi32(lhs.cast_signed());
            for (sum, rhs) in sums.iter_mut().zip(rhs) {
                *sum = x86::_mm512_dpbusd_epi32(*sum, lhs, rhs);
            }
        }
    }
    sums.map(|sums| {
        let sums = sums.map(|sum| x86::_mm512_cvtepi32_ps(sum));
        // SAFETY: as above.
        unsafe { std::mem::transmute::<[x86::__m512; 2], [f32; WIDTH]>(sums) }
    })
}
