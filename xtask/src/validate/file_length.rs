//! A source file is one idea, and seldom needs more than 400 lines for it.

use super::Violation;
use crate::workspace::TextFile;

/// Above this a file is split, or named below with the reason for its length.
const MAX_LINES: usize = 500;

/// A file that may be long, and why.
pub(super) struct LongFile {
    path: &'static str,
    reason: &'static str,
}

pub(super) const LONG_FILES: &[LongFile] = &[];

pub(super) fn check(files: &[TextFile], long_files: &[LongFile]) -> Vec<Violation> {
    let too_long = files
        .iter()
        .filter(|file| is_source(&file.path) && lines(file) > MAX_LINES)
        .filter(|file| !long_files.iter().any(|long| long.path == file.path))
        .map(|file| {
            Violation::new(
                &file.path,
                format!("has {} lines, more than {MAX_LINES}; split it", lines(file)),
            )
        });
    let outdated = long_files
        .iter()
        .filter(|long| {
            !files
                .iter()
                .any(|file| file.path == long.path && lines(file) > MAX_LINES)
        })
        .map(|long| {
            Violation::new(
                long.path,
                format!(
                    "is no long file any more; drop its exception ({})",
                    long.reason
                ),
            )
        });
    too_long.chain(outdated).collect()
}

fn is_source(path: &str) -> bool {
    path.ends_with(".rs") || path.ends_with(".py")
}

fn lines(file: &TextFile) -> usize {
    file.text.lines().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::testing::file;

    #[test]
    fn a_long_source_file_fails_unless_it_is_excepted() {
        let files = [
            file("src/long.rs", &"\n".repeat(MAX_LINES + 1)),
            file("src/short.rs", &"\n".repeat(MAX_LINES)),
            file("README.md", &"\n".repeat(MAX_LINES + 1)),
        ];
        assert_eq!(check(&files, &[]).len(), 1);
        let exception = LongFile {
            path: "src/long.rs",
            reason: "a table",
        };
        assert_eq!(check(&files, &[exception]), []);
    }

    #[test]
    fn an_exception_that_nothing_needs_fails() {
        let exception = LongFile {
            path: "src/gone.rs",
            reason: "a table",
        };
        assert_eq!(check(&[], &[exception]).len(), 1);
    }
}
