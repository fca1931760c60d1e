//! Token classification (named entities) as a [`Task`](crate::Task): checkpoints and labels, windows, loss, scores,
//! predictions, export.
//!
//! ```text
//! checkpoint directory + data set → TokenClassifier (everything but the weights) → load → model
//! data set → TokenClassifier::encode → Split (windows of sentences) → TokenClassificationTask → train
//! texts or words → TokenClassifier::predict → Predictions → entities
//! ```
//!
//! A sentence longer than the model is cut into windows that overlap, and each of its words is learned and predicted in
//! exactly one of them. A word that vanishes in normalisation (a zero-width space, say) has no token, so the model says
//! nothing about it: it is predicted `O`, or the first label where there is no `O`.

mod classifier;
mod predict;
mod scheme;
mod split;
mod task;

pub(crate) use classifier::ARCHITECTURE;
pub use classifier::TokenClassifier;
pub use predict::Prediction;
pub(crate) use predict::TextWindows;
pub use scheme::convert_tags;
pub use split::{Sentence, Split};
pub(crate) use task::token_rows;
pub use task::{Scored, TokenClassificationTask};
