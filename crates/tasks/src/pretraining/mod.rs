//! The pre-training tasks: masked language modelling, next sentence prediction, and both.
//!
//! ```text
//! checkpoint directory → Pretraining<M> (everything but the weights) → load → M
//! plain text → Pretraining::encode_text / encode_pairs → Split → Task::loss, Pretraining::evaluate
//! text with [MASK] → fill_mask → FilledText
//! pairs → predict → PairPrediction
//! ```
//!
//! M is one of [`ModelForMaskedLM`](bert_pretraining::ModelForMaskedLM),
//! [`ModelForNextSentencePrediction`](bert_pretraining::ModelForNextSentencePrediction) and
//! [`ModelForPreTraining`](bert_pretraining::ModelForPreTraining). Each epoch masks other tokens. An
//! evaluation always masks the same ones, so that figures can be compared.

mod evaluate;
mod examine;
mod predict;
mod setup;
mod split;
mod task;

pub use bert_pretraining as head;
pub use evaluate::{EVALUATION_SEED, Scored, TokenPrediction};
pub use predict::{FilledMask, FilledText, PairPrediction};
pub use setup::Pretraining;
pub use split::Split;
