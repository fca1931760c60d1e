//! Prefetching: memory is requested while something else is computed.

use std::slice::Chunks;

/// Elements of a cache line of 64 bytes.
pub(crate) const CACHE_LINE: usize = 16;

/// At most so many pieces of about one length. None but the last is shorter than a cache line.
#[inline(always)]
pub(crate) fn shares(elements: &[f32], count: usize) -> Chunks<'_, f32> {
    let share = elements.len().div_ceil(count.max(1));
    elements.chunks(share.max(CACHE_LINE))
}

/// Requests an element's cache line into the first-level cache, for use soon. Any address is allowed.
#[inline(always)]
pub(crate) fn prefetch_l1(element: *const f32) {
    prefetch::<L1>(element);
}

/// Requests elements into the second-level cache, for use later. They displace nothing in use from the first level.
#[inline(always)]
pub(crate) fn prefetch_l2(elements: &[f32]) {
    for line in elements.chunks(CACHE_LINE) {
        prefetch::<L2>(line.as_ptr());
    }
}

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_T0 as L1, _MM_HINT_T1 as L2};

#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(
    unsafe_code,
    reason = "a hint that does not change what a program computes"
)]
fn prefetch<const HINT: i32>(address: *const f32) {
    // SAFETY: the instruction reads and writes nothing, and the processor ignores an address that is not mapped.
    unsafe { std::arch::x86_64::_mm_prefetch::<HINT>(address.cast()) };
}

/// Stable Rust has no prefetch for other processors. Their hardware prefetchers do what they can.
#[cfg(not(target_arch = "x86_64"))]
fn prefetch<const HINT: i32>(_: *const f32) {}
#[cfg(not(target_arch = "x86_64"))]
const L1: i32 = 0;
#[cfg(not(target_arch = "x86_64"))]
const L2: i32 = 1;
