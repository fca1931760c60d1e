//! What the tests of several crates together share, beside `bert-testing` and `bert-doctor`.
//!
//! | module | |
//! |---|---|
//! | [`checks`] | the checks of `bert-doctor` as tests |
//! | [`reviews`] | a tiny checkpoint, and sentences to train it on |
//!
//! It does *not* test anything itself: the tests are in `tests/tests`, and beside the code they hold.

pub mod checks;
pub mod reviews;
