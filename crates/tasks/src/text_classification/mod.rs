//! Text classification: checkpoints and labels, encoded data, loss, scores, predictions, export.
//!
//! ```text
//! checkpoint directory + data set → TextClassifier (everything but the weights) → load → model
//! data set → TextClassifier::encode → Split → Task::loss, TextClassifier::evaluate
//! texts → TextClassifier::predict → Predictions
//! ```

mod activation;
mod classifier;
mod evaluate;
mod examine;
mod predict;
mod split;

pub use activation::Activation;
pub use bert_text_classification as head;
pub use classifier::{ClassifierOptions, TextClassifier};
pub(crate) use classifier::{labels, stated_problem_type};
pub use evaluate::Scored;
pub(crate) use examine::examination;
pub use predict::{ClassProbability, Prediction};
pub(crate) use predict::{best_label, predictions};
pub use split::{Split, Targets, guess_problem_type};
