//! What BERT was pre-trained with: masked language modelling and next sentence prediction, alone or summed.
//!
//! | model | heads | loss |
//! |---|---|---|
//! | [`ModelForMaskedLM`] | [`PredictionHead`], tied to the word embeddings | cross-entropy over the masked tokens |
//! | [`ModelForNextSentencePrediction`] | a linear map on the pooled output | cross-entropy, class 0 = the second text follows |
//! | [`ModelForPreTraining`] | both | the sum |
//!
//! The decoder of the prediction head has no matrix of its own: it multiplies by the word embeddings, so that the gradients
//! of look-up and decoder add up in one parameter, and both are one after training and in every file. For a loss it runs
//! on the masked tokens alone ([`MaskedTokens`]), about one in seven.
//!
//! Weights come from `bert-weights`, by the encoder's key map under the prefix `bert.` and this crate's [`KEY_MAP`];
//! [`TIED_COPIES`] are the tensors that a checkpoint may hold twice.
//!
//! This crate does *not* tokenize, choose the tokens to mask, read texts, or train.

pub mod metrics;

mod fill_mask;
mod masked_tokens;
mod model;
mod prediction_head;

pub use fill_mask::{TokenScore, top_k};
pub use masked_tokens::MaskedTokens;
pub use model::{
    ModelForMaskedLM, ModelForNextSentencePrediction, ModelForPreTraining, PretrainingModel,
};
pub use prediction_head::PredictionHead;

/// Checkpoint name and module path of the heads' own parameters, one pair a line. Each model has some of them.
pub const KEY_MAP: &str = include_str!("keys.tsv");

/// Checkpoint name of a tied tensor, and module path of the parameter that it is a copy of.
pub const TIED_COPIES: [(&str, &str); 2] = [
    (
        "cls.predictions.decoder.weight",
        "bert.embeddings.word_embeddings.weight",
    ),
    ("cls.predictions.decoder.bias", "predictions.bias"),
];
