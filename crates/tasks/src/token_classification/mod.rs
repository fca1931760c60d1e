//! Token classification (named entities): checkpoints and labels, windows, loss, scores, predictions, export.
//!
//! ```text
//! checkpoint directory + data set → TokenClassifier (everything but the weights) → load → model
//! data set → TokenClassifier::encode → Split (windows of sentences) → Task::loss, TokenClassifier::evaluate
//! texts or words → TokenClassifier::predict → Predictions → entities
//! ```
//!
//! A sentence longer than the model is cut into windows that overlap, and each of its words is learned and predicted in
//! exactly one of them. A word that vanishes in normalisation (a zero-width space, say) has no token, so the model predicts
//! nothing for it: its label is `O`, or the first label where there is no `O`.

mod classifier;
mod evaluate;
mod examine;
mod predict;
mod scheme;
mod split;

pub use bert_token_classification as head;
pub use classifier::TokenClassifier;
pub use evaluate::Scored;
pub use predict::Prediction;
pub(crate) use predict::TextWindows;
pub use scheme::convert_tags;
pub use split::{Sentence, Split};
