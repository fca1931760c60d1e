//! Natural-language inference as a [`Task`](crate::Task), on top of [`text_classification`](crate::text_classification):
//! the same model, loss and loop, with labels that have a meaning whatever their names and ids.
//!
//! ```text
//! Dataset → NliData (roles) ─┐
//! checkpoint directory ──────┴▶ NliClassifier → load → model; NliTask → train
//! pairs → NliClassifier::classifier.predict → Predictions
//! texts + candidate labels → ZeroShotClassifier::predict → labels with scores
//! ```

mod classifier;
mod data;
mod label2id;
mod task;
mod zero_shot;

pub use classifier::NliClassifier;
pub use data::NliData;
pub use task::{NliScored, NliTask};
pub use zero_shot::{ZeroShotClassifier, ZeroShotPrediction, ZeroShotQuestion};
