//! The pre-training tasks as a [`Task`](crate::Task): masked language modelling, next sentence prediction, and both.
//!
//! ```text
//! checkpoint directory → Pretraining<M> (everything but the weights) → load → M
//! plain text → Pretraining::encode_text / encode_pairs → Split → PretrainingTask → train
//! text with [MASK] → fill_mask → FilledText
//! pairs → predict → PairPrediction
//! ```
//!
//! M is one of [`ModelForMaskedLM`](bert_pretraining::ModelForMaskedLM),
//! [`ModelForNextSentencePrediction`](bert_pretraining::ModelForNextSentencePrediction) and
//! [`ModelForPreTraining`](bert_pretraining::ModelForPreTraining). What is masked is another choice in every epoch; for
//! evaluation it is always the same, so that figures can be compared.

mod evaluate;
mod predict;
mod setup;
mod split;
mod task;

pub use evaluate::{EVALUATION_SEED, Scored, TokenPrediction};
pub use predict::{FilledMask, FilledText, PairPrediction};
pub use setup::Pretraining;
pub use split::Split;
pub use task::PretrainingTask;
