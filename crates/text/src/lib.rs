//! Tokenizer, data-set readers, features and batches for BERT.
//!
//! The way of a row: a TSV, CSV or JSON Lines file becomes a [`Dataset`] of [`Example`]s, a [`LabelSet`] turns their
//! labels into ids, a [`Tokenizer`] turns their texts into [`Encoding`]s, [`epoch_batches`] says which rows go together
//! and [`PaddedBatch`] lays their ids out as one rectangle.
//!
//! What this crate does *not* do: it knows no tensor and no model, downloads nothing, and never prints.

mod batch;
mod encoding;
mod example;
mod label_set;
mod masking;
mod plain_text;
mod predict_input;
mod reader;
mod sampler;
mod tokenizer;

pub use batch::PaddedBatch;
pub use encoding::Encoding;
pub use example::{Dataset, Example, Label};
pub use label_set::{LabelError, LabelSet, regression_targets};
pub use masking::{MaskedBlock, Masker, MaskingError, MaskingOptions};
pub use plain_text::{
    Documents, PlainTextError, SentencePair, TextBlocks, TextLayout, TextPiece, TextPieces,
    TokenBlock,
};
pub use predict_input::{PairInput, PredictInput, PredictInputs, PredictLine};
pub use reader::{Column, ColumnOptions, ColumnRole, Format, ReadError};
pub use sampler::{BatchOrder, epoch_batches};
pub use tokenizer::{Tokenizer, TokenizerError};
