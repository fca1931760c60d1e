//! Instructions that multiply several short numbers at a time and add them up, where a processor has them.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64 as x86;

use pulp::Arch;

use super::short::Short;

/// Columns of a panel: two of the registers that the instructions work on.
const WIDTH: usize = 32;

/// One that this processor has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instruction(Short);

impl Instruction {
    /// The one for such numbers, where these vector registers are used.
    pub(crate) fn of(arch: Arch, short: Short) -> Option<Self> {
        let exists = match arch {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(_) => match short {
                Short::Bf16 => std::arch::is_x86_feature_detected!("avx512bf16"),
                Short::Int8 => std::arch::is_x86_feature_detected!("avx512vnni"),
            },
            _ => false,
        };
        exists.then_some(Self(short))
    }

    /// R rows times a panel, word by word. Sums of whole numbers begin with `beginnings`.
    ///
    /// # Panics
    ///
    /// The panel is not of their width, or whole numbers have no beginnings.
    #[inline]
    pub(crate) fn sums<const R: usize>(
        self,
        left: &[[u32; R]],
        panel: &[u32],
        beginnings: &[i32],
    ) -> [[f32; WIDTH]; R] {
        let (panel, rest) = panel.as_chunks();
        assert!(rest.is_empty(), "whole rows of a panel");
        #[cfg(target_arch = "x86_64")]
        #[expect(
            unsafe_code,
            reason = "the processor has been asked for the instruction"
        )]
        // SAFETY: `of` has found that it exists, and the vector registers with it.
        unsafe {
            match self.0 {
                Short::Bf16 => sums_of_bf16(left, panel),
                Short::Int8 => {
                    let (beginnings, _) = beginnings.as_chunks();
                    sums_of_int8(left, panel, &beginnings[0])
                }
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        unreachable!("{left:?} {panel:?} {beginnings:?}: there is no such instruction")
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
#[expect(unsafe_code, reason = "registers are as many bits as arrays")]
fn sums_of_bf16<const R: usize>(left: &[[u32; R]], panel: &[[u32; WIDTH]]) -> [[f32; WIDTH]; R] {
    let mut sums = [[x86::_mm512_setzero_ps(); 2]; R];
    for (left, right) in left.iter().zip(panel) {
        // SAFETY: 64 bytes each, any of which are valid.
        let right: [x86::__m512bh; 2] = unsafe { std::mem::transmute(*right) };
        for (sums, &left) in sums.iter_mut().zip(left) {
            let left = x86::_mm512_set1_epi32(left.cast_signed());
            // SAFETY: as above.
            let left: x86::__m512bh = unsafe { std::mem::transmute(left) };
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = x86::_mm512_dpbf16_ps(*sum, left, right);
            }
        }
    }
    // SAFETY: as above.
    sums.map(|sums| unsafe { std::mem::transmute::<[x86::__m512; 2], [f32; WIDTH]>(sums) })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni")]
#[expect(unsafe_code, reason = "registers are as many bits as arrays")]
fn sums_of_int8<const R: usize>(
    left: &[[u32; R]],
    panel: &[[u32; WIDTH]],
    beginnings: &[i32; WIDTH],
) -> [[f32; WIDTH]; R] {
    // SAFETY: 64 bytes each, any of which are valid.
    let beginnings: [x86::__m512i; 2] = unsafe { std::mem::transmute(*beginnings) };
    let mut sums = [beginnings; R];
    for (left, right) in left.iter().zip(panel) {
        // SAFETY: as above.
        let right: [x86::__m512i; 2] = unsafe { std::mem::transmute(*right) };
        for (sums, &left) in sums.iter_mut().zip(left) {
            let left = x86::_mm512_set1_epi32(left.cast_signed());
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = x86::_mm512_dpbusd_epi32(*sum, left, right);
            }
        }
    }
    sums.map(|sums| {
        let sums = sums.map(|sum| x86::_mm512_cvtepi32_ps(sum));
        // SAFETY: as above.
        unsafe { std::mem::transmute::<[x86::__m512; 2], [f32; WIDTH]>(sums) }
    })
}
