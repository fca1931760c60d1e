//! Natural-language inference on BERT: does a premise entail a hypothesis? What its labels mean whatever a checkpoint calls
//! and numbers them, its scores, and zero-shot classification on top of it.
//!
//! transformers has no class of its own for this task, so this crate has no model of its own either: it is
//! [`ModelForSequenceClassification`], which is re-exported with its configuration, loss and [`KEY_MAP`] so that a program
//! depends on one crate. That makes it the one head that builds on another.
//!
//! | | |
//! |---|---|
//! | [`Role`], [`Roles`] | which label means what, by name and never by number |
//! | [`evaluate`] | accuracy, scores of each label, confusion table |
//! | [`zero_shot`] | scores of any labels from the logits of (text, hypothesis) pairs |
//!
//! This crate does *not* tokenize, read data sets, or train.

pub mod zero_shot;

mod metrics;
mod roles;

pub use bert_text_classification::metrics::{ConfusionMatrix, LabelScores, MetricsError};
pub use bert_text_classification::{
    KEY_MAP, Labels, ModelForSequenceClassification, ProblemType, SequenceClassificationConfig,
    loss,
};
pub use metrics::{NliMetrics, evaluate};
pub use roles::{Role, RoleError, Roles, Scheme};
