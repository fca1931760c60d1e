//! An allocator that counts, and refuses what no input of a few kilobytes needs.

#![allow(
    unsafe_code,
    reason = "an allocator is an unsafe trait; this one adds two numbers to the system's"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The most that one input may ask for beside what was there before, in bytes.
pub const BOUND: usize = 256 << 20;
/// From this size on an allocation fails, which ends the program: a fuzzer reports it, and the machine is not filled.
const IMPOSSIBLE: usize = 2 << 30;

static NOW: AtomicUsize = AtomicUsize::new(0);
static HIGHEST: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator with a count. A program declares it as its `#[global_allocator]`.
#[derive(Debug)]
pub struct Counting;

fn grow(bytes: usize) {
    let now = NOW.fetch_add(bytes, Relaxed) + bytes;
    HIGHEST.fetch_max(now, Relaxed);
}

fn is_possible(bytes: usize) -> bool {
    if bytes > IMPOSSIBLE {
        HIGHEST.fetch_max(bytes, Relaxed);
    }
    bytes <= IMPOSSIBLE
}

// SAFETY: every call is passed to the system's allocator with its arguments, or answered with null, which means failure.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !is_possible(layout.size()) {
            return std::ptr::null_mut();
        }
        grow(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !is_possible(layout.size()) {
            return std::ptr::null_mut();
        }
        grow(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_possible(size) {
            return std::ptr::null_mut();
        }
        grow(size);
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Does the work and gives the most bytes that it held at once, where [`Counting`] is the program's allocator; else 0.
pub fn most_bytes(work: impl FnOnce()) -> usize {
    let before = NOW.load(Relaxed);
    HIGHEST.store(before, Relaxed);
    work();
    HIGHEST.load(Relaxed).saturating_sub(before)
}

/// Does the work, and panics if it held more than [`BOUND`].
///
/// # Panics
///
/// As said.
pub fn bounded(work: impl FnOnce()) {
    let bytes = most_bytes(work);
    assert!(
        bytes <= BOUND,
        "the input asked for {bytes} bytes, more than {BOUND}"
    );
}
