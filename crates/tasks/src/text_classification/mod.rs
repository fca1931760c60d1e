//! Text classification as a [`Task`](crate::Task): checkpoints and labels, encoded data, loss, scores, predictions, export.
//!
//! ```text
//! checkpoint directory + data set → TextClassifier (everything but the weights) → load → model
//! data set → TextClassifier::encode → Split → TextClassificationTask → train
//! texts → TextClassifier::predict → Predictions
//! ```

mod classifier;
mod predict;
mod split;
mod task;

pub use classifier::TextClassifier;
pub(crate) use classifier::{ARCHITECTURE, stated_problem_type};
pub use predict::{ClassProbability, Prediction};
pub use split::{Split, Targets, guess_problem_type};
pub(crate) use task::highest;
pub use task::{Scored, TextClassificationTask};
