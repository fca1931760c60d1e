//! What the tests of this project share: golden files, devices, tolerances, comparisons.
//!
//! | module | |
//! |---|---|
//! | [`golden`] | reads what transformers computed (`goldens/README.md`) |
//! | [`device`] | runs one test on every backend of the build |
//! | [`tolerance`] | how far two results may be apart, each number with its reason |
//! | [`compare`] | holds a result against another, and says where they differ |
//! | [`head`] | a head's loss and gradients against its golden case |
//! | [`named`] | a model's parameters and gradients by their names in a checkpoint |
//! | [`model`] | models from checkpoints, and weights that need no random numbers of a device |
//! | [`steps`] | golden batches for the trainer's stepper |
//!
//! Helpers of tests fail a test by panicking; that is what they are for.
//!
//! It does *not* test anything itself: the tests are in `tests/tests`, and beside the code they hold.

pub mod compare;
pub mod device;
pub mod golden;
pub mod head;
pub mod model;
pub mod named;
pub mod steps;
pub mod tolerance;

pub use compare::{
    Values, assert_close, assert_close_at_scale, assert_close_number, assert_equal_bits,
};
pub use device::TestDevice;
pub use golden::Golden;
pub use tolerance::Quantity;
