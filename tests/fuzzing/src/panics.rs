//! Panics that the library answers with an error.

use std::panic;

/// Takes away the hook with which libFuzzer ends the program at any panic, so that one that is caught within the library is
/// none. One that leaves a target still ends the program. Nothing is printed of either: `tests/corpus.rs` shows the panic of an
/// input that is kept.
pub fn end_only_where_uncaught() {
    panic::set_hook(Box::new(|_| {}));
}
