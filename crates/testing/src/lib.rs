//! What the tests of all crates share: devices, this repository's golden files, assertions.
//!
//! | module | |
//! |---|---|
//! | [`golden`] | the golden files of this repository |
//! | [`device`] | runs one test on every backend of the build |
//! | [`compare`] | comparisons that fail a test |
//! | [`differences`] | gradients against finite differences |
//! | `head` | a head's loss and gradients against its golden case (feature `encoder`) |
//!
//! What is compared and how far it may be off is in `bert-parity`, whose modules stand here, too.
//!
//! Each backend has a Cargo feature (`flex`, the default, `ndarray`, `wgpu`, `vulkan`, `metal`, `cuda`), and the macros
//! make one test for each backend of the build: `cargo test -p bert-kernels` tests on flex, and the workspace's tests, which
//! are built with more features, run the same functions on more backends. The crate under test needs no feature for that.
//!
//! Helpers of tests fail a test by panicking; that is what they are for. A package uses them from the tests in its `tests`
//! folder: a unit test of `bert-kernels` or `bert-encoder` would meet a second copy of its own crate here.
//!
//! It does *not* test anything itself: the tests are in each crate's `tests` folder, and in `tests/tests` where they need
//! several crates.

pub mod compare;
pub mod device;
pub mod differences;
pub mod golden;
#[cfg(feature = "encoder")]
pub mod head;

pub use bert_device::Backend;
pub use bert_parity::{Comparisons, ParityError, Quantity, Values, operation, tolerance};
#[cfg(feature = "encoder")]
pub use bert_parity::{invariance, model, named};
pub use compare::{
    assert_all, assert_close, assert_close_at_scale, assert_close_number, assert_equal_bits,
    assert_same, assert_same_at_scales,
};
pub use device::TestDevice;
pub use golden::Golden;
