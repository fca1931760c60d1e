//! What this project is held against: the golden files of transformers, how far a result may be from them, and comparisons
//! that say how far it is.
//!
//! | module | |
//! |---|---|
//! | [`golden`] | reads what transformers computed (`tests/goldens/README.md`) |
//! | [`tolerance`] | how far two results may be apart, each number with its reason |
//! | [`compare`] | holds a result against another, and says where they differ |
//! | [`operation`] | an operation's output and gradients, on inputs without a pattern |
//! | `model` | an encoder from a golden checkpoint (feature `encoder`) |
//! | `named` | a model's parameters and gradients by their names in a checkpoint (feature `encoder`) |
//! | `head` | a head's loss and gradients against its golden case (feature `encoder`) |
//! | `invariance` | what padding and the other rows of a batch must not change (feature `encoder`) |
//!
//! The tests and `bert doctor` compare through this crate, so both mean the same by "right".
//!
//! It does *not* decide what a difference leads to: a test fails (`bert-testing`), `bert doctor` reports.

pub mod compare;
mod error;
pub mod golden;
#[cfg(feature = "encoder")]
pub mod head;
#[cfg(feature = "encoder")]
pub mod invariance;
#[cfg(feature = "encoder")]
pub mod model;
#[cfg(feature = "encoder")]
pub mod named;
pub mod operation;
pub mod tolerance;
mod values;

pub use compare::{Comparison, Comparisons, Fault};
pub use error::ParityError;
pub use golden::Golden;
pub use tolerance::Quantity;
pub use values::Values;
