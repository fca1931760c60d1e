//! Messages on standard error.

use std::fmt::Arguments;
use std::io::Write;

/// One line on standard error. No run ends because nobody reads its messages, or because the file that they go to is full.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::messages::line(format_args!($($words)*))
    };
}

/// What `say!` does.
pub(crate) fn line(words: Arguments<'_>) {
    // There is no place left to report to.
    let _ = writeln!(std::io::stderr(), "{words}");
}
