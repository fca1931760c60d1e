//! What the tests of all crates share: golden files, devices, tolerances, comparisons.
//!
//! | module | |
//! |---|---|
//! | [`golden`] | reads what transformers computed (`tests/goldens/README.md`) |
//! | [`device`] | runs one test on every backend of the build |
//! | [`tolerance`] | how far two results may be apart, each number with its reason |
//! | [`compare`] | holds a result against another, and says where they differ |
//! | `model` | an encoder from a golden checkpoint (feature `encoder`) |
//! | `named` | a model's parameters and gradients by their names in a checkpoint (feature `encoder`) |
//! | `head` | a head's loss and gradients against its golden case (feature `encoder`) |
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
pub mod golden;
#[cfg(feature = "encoder")]
pub mod head;
#[cfg(feature = "encoder")]
pub mod model;
#[cfg(feature = "encoder")]
pub mod named;
pub mod tolerance;

pub use bert_device::Backend;
pub use compare::{
    Values, assert_close, assert_close_at_scale, assert_close_number, assert_equal_bits,
};
pub use device::TestDevice;
pub use golden::Golden;
pub use tolerance::Quantity;
