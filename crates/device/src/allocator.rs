//! How the process's allocator treats big buffers.

/// Makes the allocator keep the memory of freed tensors for the next ones, and says whether it will.
///
/// glibc hands every freed buffer above a threshold back to the system and asks anew for the next; each of its pages
/// then costs a fault at first touch, which for the matrices of a training step can take longer than the arithmetic.
/// Call it once, first thing in `main`: it is a choice about the whole process, which is why no library crate makes
/// it. The price is that the process keeps its peak memory until it ends. Elsewhere than on Linux with glibc nothing
/// is done, and the answer is `false`.
pub fn keep_allocator_memory() -> bool {
    set_allocator()
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "mallopt is glibc's only interface to these settings"
)]
fn set_allocator() -> bool {
    /// What is asked of the system at once beyond the present need.
    const TOP_PAD_BYTES: libc::c_int = 64 << 20;
    let settings = [
        // No buffer gets a mapping of its own. Raising M_MMAP_THRESHOLD instead stops at 32 MiB, and BERT's word
        // embeddings and their gradient are larger.
        (libc::M_MMAP_MAX, 0),
        // -1: never give the end of the heap back.
        (libc::M_TRIM_THRESHOLD, -1),
        (libc::M_TOP_PAD, TOP_PAD_BYTES),
    ];
    settings.into_iter().all(|(parameter, value)| {
        // SAFETY: mallopt takes two integers, checks both, and locks the allocator's state while it changes it.
        unsafe { libc::mallopt(parameter, value) == 1 }
    })
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn set_allocator() -> bool {
    false
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    /// Page faults of the calling thread so far, from the field `minflt` of proc(5).
    fn page_faults() -> u64 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("Linux has it");
        let (_, after_name) = stat.rsplit_once(')').expect("the name is in parentheses");
        let minflt = after_name.split_whitespace().nth(7);
        minflt.expect("field 10").parse().expect("a number")
    }

    #[test]
    fn a_freed_buffer_comes_back_without_page_faults() {
        const BYTES: usize = 24 << 20;
        const PAGES: u64 = (BYTES / 4096) as u64;
        assert!(keep_allocator_memory());
        drop(std::hint::black_box(vec![1_u8; BYTES]));
        let before = page_faults();
        drop(std::hint::black_box(vec![1_u8; BYTES]));
        let faults = page_faults() - before;
        assert!(
            faults < PAGES / 10,
            "{faults} page faults for {PAGES} pages"
        );
    }
}
