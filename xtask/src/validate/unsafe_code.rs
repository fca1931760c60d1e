//! `unsafe` is in the kernels, and where a system's interface takes nothing else.

use std::sync::LazyLock;

use regex::Regex;

use super::Violation;
use crate::workspace::TextFile;

/// What lifts the workspace's `unsafe_code = "deny"`, and `unsafe` itself, which crates without those lints could write.
static UNSAFE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\bunsafe_code\b|\bunsafe\s*(\{|fn\b|impl\b|extern\b|trait\b)")
        .expect("a constant pattern")
});

/// Folders and files that may, and what for.
const ALLOWED: [(&str, &str); 6] = [
    (
        "crates/kernels/src/",
        "buffers without values, instructions of a processor",
    ),
    ("crates/mpi/src/sum.rs", "requests of MPI"),
    (
        "crates/mpi/src/streams.rs",
        "descriptors of a process that mpirun has started",
    ),
    ("crates/device/src/allocator.rs", "mallopt(3)"),
    (
        "crates/cli/src/commands/bench/operands.rs",
        "gemm takes pointers",
    ),
    ("tests/fuzzing/src/memory.rs", "an allocator that counts"),
];

pub(super) fn check(files: &[TextFile]) -> Vec<Violation> {
    let is_allowed = |path: &str| ALLOWED.iter().any(|(place, _)| path.starts_with(place));
    let looked_at = files
        .iter()
        .filter(|file| file.path.ends_with(".rs") && !file.path.starts_with("xtask/"))
        .filter(|file| !is_allowed(&file.path));
    looked_at.flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> impl Iterator<Item = Violation> {
    let found = file
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//") && UNSAFE.is_match(line));
    found.map(|(index, _)| {
        Violation::at_line(
            &file.path,
            index + 1,
            "has unsafe code; it is for the kernels and the places that xtask/src/validate/unsafe_code.rs lists",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::testing::file;

    #[test]
    fn unsafe_code_is_found_outside_of_its_places() {
        let text = "// unsafe { }\nlet word = \"unsafe here\";\nunsafe { read(pointer) }\n#![allow(unsafe_code)]\n";
        let violations = check(&[
            file("crates/text/src/lib.rs", text),
            file("crates/kernels/src/lib.rs", text),
        ]);
        let places: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert_eq!(places.len(), 2, "{places:?}");
        assert!(places[0].starts_with("crates/text/src/lib.rs:3: "));
        assert!(places[1].starts_with("crates/text/src/lib.rs:4: "));
    }
}
