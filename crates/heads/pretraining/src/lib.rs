//! What BERT was pre-trained with: masked language modelling and next sentence prediction, alone or summed.
//!
//! | model | heads | loss |
//! |---|---|---|
//! | [`ModelForMaskedLM`] | [`PredictionHead`], tied to the word embeddings | cross-entropy over the masked tokens |
//! | [`ModelForNextSentencePrediction`] | a linear layer on the pooled output | cross-entropy, class 0 = the second text follows |
//! | [`ModelForPreTraining`] | both | the sum |
//!
//! The decoder of the prediction head has no matrix of its own: it multiplies by the word embeddings, so that the gradients
//! of look-up and decoder add up in one parameter, and both are one after training and in every file. For a loss it runs
//! on the masked tokens alone ([`MaskedTokens`]), about one in seven.
//!
//! Weights come from `bert-weights`, by the family's key map of the encoder and this crate's [`head_keys`];
//! they also name the tensors that a checkpoint may hold twice.
//!
//! This crate does *not* tokenize, choose the tokens to mask, read texts, or train.

pub mod metrics;

mod fill_mask;
mod keys;
mod masked_tokens;
mod model;
mod prediction_head;

pub use fill_mask::{TokenScore, top_k};
pub use keys::head_keys;
pub use masked_tokens::MaskedTokens;
pub use model::{
    ModelForMaskedLM, ModelForNextSentencePrediction, ModelForPreTraining, PretrainingModel,
};
pub use prediction_head::PredictionHead;
