//! Natural-language inference on BERT: does a premise entail a hypothesis? This crate says what the labels mean, whatever
//! names and ids a checkpoint gives them, and scores any labels without training (zero-shot classification).
//!
//! | | |
//! |---|---|
//! | [`Role`], [`Roles`] | the meaning of each label, read from its name and never from its id |
//! | [`zero_shot`] | scores of any labels from the logits of (text, hypothesis) pairs |
//!
//! The model, its loss and its metrics are those of text classification, as in transformers, which has one class for both
//! tasks: see `bert-text-classification`.
//!
//! This crate does *not* hold a model, tokenize, read data sets, or train.

pub mod zero_shot;

mod roles;

pub use roles::{Role, RoleError, Roles, Scheme};
