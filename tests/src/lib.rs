//! What the tests of several crates together share, beside `bert-testing`.
//!
//! | module | |
//! |---|---|
//! | [`adapters`] | models with the adapters of golden files |
//! | [`model`] | classifiers from checkpoints, and weights that need no random numbers of a device |
//! | [`reviews`] | a tiny checkpoint, and sentences to train it on |
//! | [`steps`] | golden batches for the trainer's stepper |
//!
//! It does *not* test anything itself: the tests are in `tests/tests`, and beside the code they hold.

pub mod adapters;
pub mod model;
pub mod reviews;
pub mod steps;
