//! Natural-language inference on top of [`text_classification`](crate::text_classification): the same model and loss, with
//! labels that have a meaning whatever their names and ids.
//!
//! ```text
//! Dataset → NliData (roles) ─┐
//! checkpoint directory ──────┴▶ NliClassifier → load → model; NliClassifier::encode → Split → Task::loss, evaluate
//! pairs → NliClassifier::classifier.predict → Predictions
//! texts + candidate labels → ZeroShotClassifier::predict → labels with scores
//! ```

mod classifier;
mod data;
mod evaluate;
mod label2id;
mod zero_shot;

pub use bert_nli as head;
pub use classifier::NliClassifier;
pub use data::NliData;
pub use evaluate::NliScored;
pub use zero_shot::{ZeroShotClassifier, ZeroShotPrediction, ZeroShotQuestion};
