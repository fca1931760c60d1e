//! Asking for memory before it is needed, so that it is on its way from slower caches while something else is computed.

use std::slice::Chunks;

/// Elements that travel together: 64 bytes.
pub(crate) const LINE: usize = 16;

/// At most so many pieces of about one length, none but the last shorter than a line.
#[inline(always)]
pub(crate) fn in_shares(elements: &[f32], shares: usize) -> Chunks<'_, f32> {
    let share = elements.len().div_ceil(shares.max(1));
    elements.chunks(share.max(LINE))
}

/// Asks for an element's line, for what will be needed soon: into the first-level cache. Any address will do.
#[inline(always)]
pub(crate) fn ask_for(element: *const f32) {
    prefetch::<SOON>(element);
}

/// Asks for elements that will be read later: into the second-level cache, so that they displace nothing in use.
#[inline(always)]
pub(crate) fn ask_for_later(elements: &[f32]) {
    for line in elements.chunks(LINE) {
        prefetch::<LATER>(line.as_ptr());
    }
}

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_T0 as SOON, _MM_HINT_T1 as LATER};

#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "a hint, of which a program notices nothing")]
fn prefetch<const HINT: i32>(place: *const f32) {
    // SAFETY: whatever the address is, nothing is read or written, and the processor ignores one that is not there.
    unsafe { std::arch::x86_64::_mm_prefetch::<HINT>(place.cast()) };
}

/// Stable Rust has no such hint for other processors, which have to guess.
#[cfg(not(target_arch = "x86_64"))]
fn prefetch<const HINT: i32>(_: *const f32) {}
#[cfg(not(target_arch = "x86_64"))]
const SOON: i32 = 0;
#[cfg(not(target_arch = "x86_64"))]
const LATER: i32 = 1;
