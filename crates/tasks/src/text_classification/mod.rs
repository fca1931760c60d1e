//! Text classification: checkpoints and labels, encoded data, loss, scores, predictions, export.
//!
//! ```text
//! checkpoint directory + data set → TextClassifier (everything but the weights) → load → model
//! data set → TextClassifier::encode → Split → Task::loss, TextClassifier::evaluate
//! texts → TextClassifier::predict → Predictions
//! ```

mod classifier;
mod evaluate;
mod predict;
mod split;

pub use bert_text_classification as head;
pub use classifier::TextClassifier;
pub(crate) use classifier::{ARCHITECTURE, stated_problem_type};
pub use evaluate::Scored;
pub(crate) use predict::best_label;
pub use predict::{ClassProbability, Prediction};
pub use split::{Split, Targets, guess_problem_type};
