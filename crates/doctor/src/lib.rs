//! Whether training is right on a device.
//!
//! [`suite`] lists checks. A [`Doctor`] runs them on a device and says how far every number is from that of transformers. The
//! numbers come from the golden files of the repository, which this crate embeds; the tolerances from `bert-parity`. The
//! parity tests of the workspace call the same functions.
//!
//! | module | what is checked |
//! |---|---|
//! | [`families`] | every family with every head: hidden states, logits, loss, every gradient, ten steps |
//! | [`training`] | twenty steps of AdamW with schedule and clipping, and ten of two micro-batches |
//! | [`frozen`] | gradients and steps where a part is trained |
//! | [`adapters`] | LoRA and DoRA |
//! | [`autocast`] | training in bfloat16 |
//! | [`operations`] | the kernels against their composed bodies |
//! | [`shapes`] | padding, single rows, sequences of 1 and of 512 tokens |
//!
//! The build script packs the golden files from `tests/goldens`.
//!
//! This crate does *not* print, and it does not choose a device: it is given one.

pub mod adapters;
mod advice;
pub mod autocast;
mod check;
pub mod classifier;
mod doctor;
mod error;
pub mod families;
mod fixtures;
pub mod frozen;
pub mod heads;
pub mod operations;
mod outcome;
pub mod shapes;
mod suite;
pub mod training;

pub use advice::{Advice, Failures, Setting, advice, failures};
pub use bert_parity::Fault;
pub use check::Check;
pub use doctor::Doctor;
pub use error::DoctorError;
pub use fixtures::{ARCHIVE, Fixtures};
pub use outcome::{Outcome, Status};
pub use suite::{Group, Item, suite};
